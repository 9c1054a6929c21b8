#include "plain_text.hpp"

#include <algorithm>
#include <cstdint>

#include "svi/base/error.hpp"

namespace svi::config {

namespace {

bool is_control(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  return code < 0x20 || code == 0x7F;
}

bool is_continuation(char letter) { return (static_cast<unsigned char>(letter) & 0xC0U) == 0x80U; }

// The bytes that a first byte announces; 0: no first byte of UTF-8.
std::size_t announced_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

// Bytes of the letter that starts here; 0: not UTF-8 (RFC 3629, section 4).
std::size_t letter_length(std::string_view rest) {
  const auto first = static_cast<unsigned char>(rest[0]);
  const std::size_t length = announced_length(first);
  if (length == 0 || length > rest.size()) return 0;
  const std::string_view others = rest.substr(1, length - 1);
  if (!std::all_of(others.begin(), others.end(), is_continuation)) return 0;
  const unsigned second = length > 1 ? static_cast<unsigned char>(rest[1]) : 0x80U;
  const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool is_no_letter = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return is_overlong || is_no_letter ? 0 : length;
}

}  // namespace

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

void require_plain_text(std::string_view text, const Origin& origin) {
  if (text.size() > largest_text_bytes) {
    throw Error(ExitCode::bad_config, "{}: larger than 1 MiB; expected a YAML file of settings",
                origin.at(1));
  }
  int line = 1;
  bool is_indentation = true;
  for (std::size_t place = 0; place < text.size();) {
    const char letter = text[place];
    const std::size_t length = letter_length(text.substr(place));
    const bool is_allowed = !is_control(letter) || letter == '\n' || letter == '\r' || letter == '\t';
    if (length == 0 || !is_allowed) {
      throw Error(ExitCode::bad_config, "{}: byte 0x{:02X} is {}; expected a YAML file of settings in UTF-8",
                  origin.at(line), static_cast<unsigned char>(letter),
                  length == 0 ? "not UTF-8" : "a control character");
    }
    if (is_indentation && letter == '\t') {
      throw Error(ExitCode::bad_config, "{}: indented by a tab; use spaces", origin.at(line));
    }
    line += letter == '\n' ? 1 : 0;
    is_indentation = letter == '\n' || (is_indentation && letter == ' ');
    place += length;
  }
}

}  // namespace svi::config
