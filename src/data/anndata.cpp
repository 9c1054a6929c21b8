#include "anndata.hpp"

#include <cstdint>
#include <span>

namespace svi::data {

void set_encoding(io::Hdf5Node& node, const char* type, const char* version) {
  node.set_attribute("encoding-type", type, io::TextForm::variable);
  node.set_attribute("encoding-version", version, io::TextForm::variable);
}

namespace {

// `create` writes the names as "_index".
template <typename Create>
void write_table(io::Hdf5Group& root, const char* table, const Create& create) {
  io::Hdf5Group group = root.create_group(table);
  set_encoding(group, "dataframe", "0.2.0");
  group.set_attribute("_index", "_index", io::TextForm::variable);
  group.set_attribute("column-order", std::span<const std::int64_t>());
  io::Hdf5Dataset index = create(group);
  set_encoding(index, "string-array", "0.2.0");
}

}  // namespace

void write_names(io::Hdf5Group& root, const char* table, const std::vector<std::string>& names,
                 io::TextForm form) {
  write_table(root, table, [&](io::Hdf5Group& group) { return group.create_texts("_index", names, form); });
}

void write_row_numbers(io::Hdf5Group& root, const char* table, std::int64_t rows) {
  if (rows == 0) return write_names(root, table, {}, io::TextForm::variable);
  const std::size_t width = std::to_string(rows - 1).size();
  std::string fields(static_cast<std::size_t>(rows) * width, '\0');
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row)
    std::to_string(row).copy(&fields[row * width], width);
  write_table(root, table,
              [&](io::Hdf5Group& group) { return group.create_text_fields("_index", fields, width); });
}

}  // namespace svi::data
