#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace svi::cli {

/// Columns that a UTF-8 text takes on a terminal: one a character.
std::size_t width_of(std::string_view text);

/// The text with control characters, and bytes that are not UTF-8, written out as `\n`, `\x1B`: what a file
/// says must not steer a terminal.
/// @param kept control characters that stay as they are
std::string printable(std::string_view text, std::string_view kept = {});

/// A part of a line; the least important are left out first.
struct Field {
  std::string text;
  int importance = 0;  ///< no two fields of a line have the same
};

/// The fields in their order, two blanks between them, without the least important ones that make the line
/// wider than `columns`. The most important one always stays.
std::string fitted(std::vector<Field> fields, std::size_t columns);

/// The fields in their order, `between` them two blanks or one; where the next would be beyond `columns` a
/// line begins, indented by two.
std::string wrapped(const std::vector<std::string>& fields, std::size_t columns,
                    std::string_view between = "  ");

/// The words of a text likewise.
std::string wrapped_words(const std::string& text, std::size_t columns);

}  // namespace svi::cli
