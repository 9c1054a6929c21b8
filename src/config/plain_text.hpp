#pragma once

#include <string_view>

#include "leaf_reader.hpp"

namespace svi::config {

/// Refuses what yaml-cpp would misread: it guesses encodings and takes some control characters for the end.
/// @throws Error (bad_config) with line when the text is over 1 MiB, not UTF-8, indented by tabs, or has
/// control characters other than tab and line ends
void require_plain_text(std::string_view text, const Origin& origin);

/// Tabs and line ends count as well.
bool has_control_character(std::string_view text);

constexpr std::size_t largest_text_bytes = 1 << 20;

}  // namespace svi::config
