#include "svi/config/document.hpp"

#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "assign.hpp"
#include "leaf_reader.hpp"
#include "plain_text.hpp"
#include "svi/base/error.hpp"
#include "unknown_key.hpp"

namespace svi::config {

namespace {

// Reads one byte more than is allowed, so that endless files are refused as large ones are.
std::string read_file(const std::string& path) {
  if (std::filesystem::is_directory(path)) {
    throw Error(ExitCode::missing_input, "{} is a directory; expected a YAML file", path);
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ExitCode::missing_input, "cannot open the configuration {}; check the path", path);
  std::string text(largest_text_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw Error(ExitCode::missing_input, "cannot read the configuration {}", path);
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

Document Document::load(const std::string& path) { return parse(read_file(path), path); }

Document Document::parse(std::string_view text, std::string source) {
  Document document;
  read_leaves(text, {.source = std::move(source)}, "", document.leaves_);
  return document;
}

void Document::set(std::string_view assignment) {
  const std::size_t sign = assignment.find('=');
  if (sign == std::string_view::npos || sign == 0) {
    throw Error(ExitCode::usage, "--set {}: expected key=value, for example --set train.batch=256",
                excerpt(assignment));
  }
  const std::string key(assignment.substr(0, sign));
  std::map<std::string, Leaf> values;
  read_leaves(assignment.substr(sign + 1), {fmt::format("--set {}", excerpt(assignment)), false}, key,
              values);
  std::erase_if(leaves_, [&key](const auto& leaf) { return leaf.first == key || is_below(leaf.first, key); });
  leaves_.merge(values);
}

std::optional<std::string> Document::find(std::string_view key) const {
  const auto found = leaves_.find(std::string(key));
  if (found == leaves_.end()) return std::nullopt;
  const Leaf& leaf = found->second;
  if (leaf.is_list) {
    throw Error(ExitCode::bad_config, "{}: {} is {}; expected a text", leaf.place, key, found_text(leaf));
  }
  return leaf.texts.front();
}

void Document::fill(std::string_view section, const OptionSet& options) {
  for (const Option& option : options.all()) {
    const std::string key = fmt::format("{}.{}", section, option.name);
    known_.insert(key);
    const auto found = leaves_.find(key);
    if (found != leaves_.end()) assign(option, key, found->second);
  }
}

void Document::refuse_unknown() const {
  std::vector<std::string> lines;
  for (const auto& [key, leaf] : leaves_) {
    if (known_.contains(key)) continue;
    lines.push_back(fmt::format("{}: unknown key {}; {}", leaf.place, excerpt(key), advice(key, known_)));
  }
  if (!lines.empty()) throw Error(ExitCode::bad_config, "{}", fmt::join(lines, "\n"));
}

}  // namespace svi::config
