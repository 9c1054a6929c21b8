#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "svi/io/hdf5.hpp"

namespace svi::data {

/// Says in anndata's way what a group or data set holds.
void set_encoding(io::Hdf5Node& node, const char* type, const char* version);

/// A table without columns: only the names of its rows.
void write_names(io::Hdf5Group& root, const char* table, const std::vector<std::string>& names,
                 io::TextForm form);
/// The same with the row numbers as names, in fields of fixed length: a seventh of what variable ones take.
void write_row_numbers(io::Hdf5Group& root, const char* table, std::int64_t rows);

}  // namespace svi::data
