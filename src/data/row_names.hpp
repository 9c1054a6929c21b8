#pragma once

#include <string>
#include <vector>

#include "svi/io/hdf5.hpp"

namespace svi::data {

/// The names of a table's rows (`obs`, `var`), whatever their data set is called. Newer versions of anndata
/// may store texts as a group of values and a mask of missing ones. @throws Error (bad_data)
std::vector<std::string> row_names(const io::Hdf5Group& root, const char* table);

}  // namespace svi::data
