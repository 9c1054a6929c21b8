#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "svi/core/lazy_rows.hpp"

namespace svi {

using at::Tensor;

/// A named tensor's place in a flat buffer.
struct ParameterShape {
  std::string name;                 ///< as in a checkpoint, parts divided by '/': "encoder.0/weight"
  std::vector<std::int64_t> shape;  ///< its extents
  /// A matrix of rows whose decay is applied lazily, see LazyScale; its statistics come by rows.
  bool is_lazy = false;

  std::int64_t elements() const;
  bool operator==(const ParameterShape&) const = default;
};

/// Named tensors that are views of one flat buffer, but for lazy matrices, each of which has its own.
///
/// Parameters, gradients and moments all have this form, so that an update rule is one pass, an all-reduce
/// one call, and a checkpoint a list of names. A matrix [out, in] lies there column after column, as its
/// transpose [in, out], which is how products of a layer take it (LinearProduct); a lazy one row after row.
/// Every tensor starts on a 64-byte boundary; the padding between them is zero and stays zero under every
/// operation that is zero on zeros. **Local.**
class ParameterSet {
 public:
  ParameterSet() = default;
  /// All zero. @param type at::kFloat or at::kDouble
  /// @throws Error (internal) on a repeated name
  explicit ParameterSet(std::vector<ParameterShape> shapes, at::ScalarType type = at::kFloat,
                        at::Device device = at::kCPU);

  /// Another set of the same names, shapes, type and device, all zero.
  ParameterSet zeros_like() const;

  /// The whole buffer, padding included and lazy matrices not: [P].
  const Tensor& flat() const { return flat_; }
  /// All memory there is: `flat`, and each lazy matrix.
  std::vector<Tensor> buffers() const;
  /// A view of one tensor. @throws Error (internal) when there is none of that name
  const Tensor& operator[](std::string_view name) const;
  const Tensor& view(std::size_t index) const { return views_[index]; }

  /// What makes values of a lazy matrix's data. @throws Error (internal) when it is not lazy
  LazyScale& lazy(std::string_view name);
  const LazyScale& lazy(std::string_view name) const;
  /// By index; null where the tensor is its values.
  LazyScale* lazy(std::size_t index) { return shapes_[index].is_lazy ? &lazy_[index] : nullptr; }
  const LazyScale* lazy(std::size_t index) const { return shapes_[index].is_lazy ? &lazy_[index] : nullptr; }

  /// From now on a lazy matrix' data are those of `memory` [rows, columns], contiguous and of the set's type.
  /// @throws Error (internal) when it is not lazy, or the memory no such matrix
  void move_lazy(std::string_view name, const Tensor& memory);

  const std::vector<ParameterShape>& shapes() const { return shapes_; }
  /// Elements without the padding.
  std::int64_t elements() const;

 private:
  std::size_t index_of(std::string_view name) const;

  std::vector<ParameterShape> shapes_;
  std::vector<Tensor> views_;
  std::vector<LazyScale> lazy_;  // of every tensor, used where it is lazy
  Tensor flat_;
};

}  // namespace svi
