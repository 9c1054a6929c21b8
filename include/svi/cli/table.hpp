#pragma once

#include <string>
#include <vector>

namespace svi::cli {

enum class Align { left, right };

struct Column {
  std::string title;  ///< all titles empty: no header line
  Align align = Align::left;
};

/// An aligned table for a terminal: a header, a rule, a line for each row, each ended by a newline.
///
/// Widths count UTF-8 code points. No line ends in blanks. Cells are shown as `printable` writes them.
/// @param rows each with one text for every column
/// @throws Error (internal) when a row has another length
std::string table_text(const std::vector<Column>& columns, std::vector<std::vector<std::string>> rows);

}  // namespace svi::cli
