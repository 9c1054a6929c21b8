#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "svi/core/minibatch.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {

/// Dense rows `x` [N, D…] (or AnnData's dense `X` [N, D]) with optional labels `y` [N].
class DenseReader {
 public:
  /// @param name "x" or "X"
  /// @throws Error (bad_data), see DataFile
  DenseReader(const io::Hdf5Group& root, const char* name);

  std::int64_t rows() const { return x_.shape().front(); }
  std::int64_t columns() const { return columns_; }
  std::vector<std::int64_t> feature_shape() const { return {x_.shape().begin() + 1, x_.shape().end()}; }
  bool is_uint8() const { return x_.type().is_uint8(); }
  bool has_labels() const { return y_.has_value(); }

  /// [N], or none.
  std::vector<std::int64_t> read_labels() const;
  DenseRows read(std::int64_t first, std::int64_t last) const;

 private:
  void require_finite(const at::Tensor& features, std::int64_t first) const;

  io::Hdf5Dataset x_;
  std::optional<io::Hdf5Dataset> y_;
  std::int64_t columns_ = 1;
};

}  // namespace svi::data
