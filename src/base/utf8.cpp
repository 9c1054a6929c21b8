#include "svi/base/utf8.hpp"

#include <algorithm>

namespace svi {

namespace {

// The bytes that a first byte announces; 0: no first byte of UTF-8.
std::size_t announced_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = announced_length(first);
  if (length == 0 || length > text.size()) return 0;
  const std::string_view others = text.substr(1, length - 1);
  if (!std::all_of(others.begin(), others.end(), is_utf8_continuation)) return 0;
  const unsigned second = length > 1 ? static_cast<unsigned char>(text[1]) : 0x80U;
  const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool is_no_character = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return is_overlong || is_no_character ? 0 : length;
}

}  // namespace svi
