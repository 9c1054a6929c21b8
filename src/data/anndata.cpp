#include "anndata.hpp"

#include <cstdint>
#include <span>

namespace svi::data {

void set_encoding(io::Hdf5Node& node, const char* type, const char* version) {
  node.set_attribute("encoding-type", type, io::TextForm::variable);
  node.set_attribute("encoding-version", version, io::TextForm::variable);
}

void write_names(io::Hdf5Group& root, const char* table, const std::vector<std::string>& names,
                 io::TextForm form) {
  io::Hdf5Group group = root.create_group(table);
  set_encoding(group, "dataframe", "0.2.0");
  group.set_attribute("_index", "_index", io::TextForm::variable);
  group.set_attribute("column-order", std::span<const std::int64_t>());
  io::Hdf5Dataset index = group.create_texts("_index", names, form);
  set_encoding(index, "string-array", "0.2.0");
}

}  // namespace svi::data
