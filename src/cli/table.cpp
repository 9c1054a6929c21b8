#include "svi/cli/table.hpp"

#include <algorithm>
#include <cstddef>

#include "svi/base/error.hpp"
#include "svi/cli/text.hpp"

namespace svi::cli {

namespace {

constexpr const char* gap = "  ";

std::vector<std::size_t> widths_of(const std::vector<Column>& columns,
                                   const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const Column& column : columns) widths.push_back(width_of(column.title));
  for (const auto& row : rows) {
    if (row.size() != columns.size()) {
      throw Error(ExitCode::internal, "a table of {} columns got a row of {}", columns.size(), row.size());
    }
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  return widths;
}

std::string line_of(const std::vector<Column>& columns, const std::vector<std::size_t>& widths,
                    const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - width_of(cells[i]), ' ');
    if (i > 0) line += gap;
    line += columns[i].align == Align::right ? padding + cells[i] : cells[i] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string table_text(const std::vector<Column>& columns, std::vector<std::vector<std::string>> rows) {
  for (auto& row : rows) {
    for (std::string& cell : row) cell = printable(cell);
  }
  const auto widths = widths_of(columns, rows);
  std::string text;
  const auto has_title = [](const Column& column) { return !column.title.empty(); };
  if (std::any_of(columns.begin(), columns.end(), has_title)) {
    std::vector<std::string> titles;
    std::vector<std::string> rules;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      titles.push_back(columns[i].title);
      rules.emplace_back(widths[i], '-');
    }
    text = line_of(columns, widths, titles) + line_of(columns, widths, rules);
  }
  for (const auto& row : rows) text += line_of(columns, widths, row);
  return text;
}

}  // namespace svi::cli
