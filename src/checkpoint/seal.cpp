#include "seal.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/base/sha256.hpp"

namespace svi::checkpoint {

namespace {

constexpr std::string_view magic = "svi-train checkpoint ";
constexpr int seal_version = 1;
constexpr const char* remedy = "remove it or restore it from a copy";

// All of it is determined by length and digest, so that the block needs no digest of its own: a changed bit
// anywhere in it makes it differ from the one that belongs there.
std::string seal_text(std::uintmax_t length, const std::string& digest) {
  std::string text = fmt::format("{}{}\nlength {}\nsha256 {}\n", magic, seal_version, length, digest);
  text.resize(seal_bytes, '\0');
  return text;
}

std::string reason() { return std::generic_category().message(errno); }

std::string digest_after_seal(std::ifstream& file) {
  file.seekg(seal_bytes);
  Sha256 digest;
  std::vector<char> block(std::size_t{1} << 20);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())), file.gcount() > 0) {
    digest.add(std::as_bytes(std::span(block.data(), static_cast<std::size_t>(file.gcount()))));
  }
  return digest.finish_hex();
}

void require_regular_file(const std::string& path) {
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  if (!std::filesystem::exists(status)) {
    throw Error(ExitCode::missing_input,
                "there is no checkpoint {}; give the path of a step-<12 digits>.h5 or best.h5", path);
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw Error(ExitCode::bad_data, "{} is not a file; expected a checkpoint, step-<12 digits>.h5 or best.h5",
                path);
  }
}

// The number after `label`, 0 where there is none.
std::uintmax_t number_after(std::string_view text, std::string_view label) {
  const std::size_t place = text.find(label);
  std::uintmax_t number = 0;
  if (place == std::string_view::npos) return number;
  const char* first = text.data() + place + label.size();
  std::from_chars(first, text.data() + text.size(), number);
  return number;
}

void require_magic(const std::string& path, std::string_view block) {
  if (!block.starts_with(magic)) {
    throw Error(ExitCode::bad_data,
                "{} is not a checkpoint of svi-train: it does not begin with \"{}\"; give another file", path,
                magic);
  }
  const std::uintmax_t version = number_after(block, magic);
  if (version > seal_version) {
    throw Error(ExitCode::bad_data,
                "{} was written by a newer svi-train (seal {}, known up to {}); use that version", path,
                version, seal_version);
  }
}

}  // namespace

void write_seal(const std::string& path) {
  std::string digest;
  std::uintmax_t length = 0;
  {
    std::ifstream file(path, std::ios::binary);
    if (file) digest = digest_after_seal(file);
    std::error_code problem;
    length = std::filesystem::file_size(path, problem);
    if (!file.eof() || file.bad() || problem) {
      throw Error(ExitCode::cannot_write, "{}: cannot read it back: {}", path, reason());
    }
  }
  errno = 0;
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file << seal_text(length, digest);
  file.close();
  if (!file) throw Error(ExitCode::cannot_write, "{}: cannot write its seal: {}", path, reason());
}

void require_sealed(const std::string& path) {
  require_regular_file(path);
  std::ifstream file(path, std::ios::binary);
  std::string block(seal_bytes, '\0');
  if (!file) throw Error(ExitCode::missing_input, "cannot read {}: {}", path, reason());
  file.read(block.data(), seal_bytes);
  const std::uintmax_t length = std::filesystem::file_size(path);
  require_magic(path, block);
  if (length < seal_bytes) {
    throw Error(ExitCode::bad_data, "{} was truncated: it ends within its first {} bytes, after {}; {}", path,
                seal_bytes, length, remedy);
  }
  const std::uintmax_t written = number_after(block, "\nlength ");
  if (length != written) {
    throw Error(ExitCode::bad_data, "{} has {} bytes, but {} were written: it was {}; {}", path, length,
                written, length < written ? "truncated" : "changed", remedy);
  }
  if (block != seal_text(length, digest_after_seal(file))) {
    throw Error(ExitCode::bad_data,
                "{} is damaged: its SHA-256 is not the one written into its first {} bytes; {}", path,
                seal_bytes, remedy);
  }
}

}  // namespace svi::checkpoint
