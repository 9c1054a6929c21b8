#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "svi/core/minibatch.hpp"

namespace svi::data {

/// Dense rows and the shape of one.
struct DenseTable {
  DenseRows rows;
  std::vector<std::int64_t> feature_shape;  ///< [28, 28] of an image
};

/// Reads MNIST's IDX format (LeCun 1998), plain or gzip: unsigned bytes, the first dimension counts rows.
/// @param labels_path unsigned bytes of one dimension, or empty
/// @throws Error (missing_input); (bad_data) naming the file: magic number, element type, dimensions, fewer
/// or more bytes than they announce, another number of labels than of rows
DenseTable import_idx(const std::string& path, const std::string& labels_path);

}  // namespace svi::data
