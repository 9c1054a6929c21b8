#include "plain_text.hpp"

#include <algorithm>
#include <cstdint>

#include "svi/base/error.hpp"
#include "svi/base/utf8.hpp"

namespace svi::config {

namespace {

bool is_control(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  return code < 0x20 || code == 0x7F;
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
    const std::size_t length = utf8_length(text.substr(place));
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
