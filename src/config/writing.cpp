#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "svi/config/document.hpp"

namespace svi::config {

namespace {

bool has_option(const OptionSet& options, std::string_view name) {
  const auto& all = options.all();
  return std::any_of(all.begin(), all.end(), [name](const Option& option) { return option.name == name; });
}

// "kl: {weight: 1, …}" at the first option below `head`; nothing at the others.
std::string group_line(const OptionSet& options, const Option& first, const std::string& head) {
  std::vector<std::string> members;
  for (const Option& option : options.all()) {
    if (!option.name.starts_with(head + '.')) continue;
    if (members.empty() && &option != &first) return "";
    members.push_back(fmt::format("{}: {}", option.name.substr(head.size() + 1), option.value_text()));
  }
  return fmt::format("  {}: {{{}}}\n", head, fmt::join(members, ", "));
}

std::string option_lines(const OptionSet& options, const Option& option) {
  const std::string head = option.name.substr(0, option.name.find('.'));
  // Where `head` has a value itself YAML cannot nest below it; the dotted key means the same.
  if (head == option.name || has_option(options, head)) {
    return fmt::format("  {}: {}\n", option.name, option.value_text());
  }
  return group_line(options, option, head);
}

std::string range_text(const Option& option) {
  const std::string range = option.range.text() == "any" ? "" : option.range.text();
  if (option.choices.empty()) return range;
  return fmt::format("`{}`{}", fmt::join(option.choices, "`, `"), range.empty() ? "" : "; " + range);
}

std::string table_cell(std::string text) {
  for (std::size_t bar = text.find('|'); bar != std::string::npos; bar = text.find('|', bar + 2)) {
    text.insert(bar, "\\");
  }
  return text;
}

}  // namespace

std::string to_yaml(const std::vector<Section>& sections) {
  std::string yaml;
  for (const Section& section : sections) {
    if (section.options.all().empty()) continue;
    yaml += section.name + ":\n";
    for (const Option& option : section.options.all()) yaml += option_lines(section.options, option);
  }
  return yaml;
}

std::map<std::string, std::string> values(const std::vector<Section>& sections) {
  std::map<std::string, std::string> texts;
  for (const Section& section : sections) {
    for (const Option& option : section.options.all()) {
      texts[section.name + '.' + option.name] = option.value_text();
    }
  }
  return texts;
}

std::string to_markdown(const Section& section, std::string_view heading) {
  std::string table = fmt::format(
      "## {}\n\n| key | type | unit | range | default | |\n| --- | --- | --- | --- | --- | --- |\n", heading);
  for (const Option& option : section.options.all()) {
    table += fmt::format("| `{}.{}` | {} | {} | {} | `{}` | {} |\n", section.name, option.name, option.kind(),
                         option.unit, range_text(option), table_cell(option.value_text()),
                         table_cell(option.help));
  }
  return table;
}

}  // namespace svi::config
