#pragma once

#include <cstddef>
#include <string_view>

namespace svi {

/// Whether a byte is inside a UTF-8 character rather than its first.
constexpr bool is_utf8_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

/// Bytes of the character that a text, not empty, begins with; 0: it begins with none (RFC 3629, section 4).
std::size_t utf8_length(std::string_view text);

}  // namespace svi
