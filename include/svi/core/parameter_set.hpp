#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace svi {

using at::Tensor;

/// A named tensor's place in a flat buffer.
struct ParameterShape {
  std::string name;                 ///< as in a checkpoint, parts divided by '/': "encoder.0/weight"
  std::vector<std::int64_t> shape;  ///< its extents

  std::int64_t elements() const;
  bool operator==(const ParameterShape&) const = default;
};

/// Named tensors that are views of one flat buffer.
///
/// Parameters, gradients and moments all have this form, so that an update rule is one pass, an all-reduce
/// one call, and a checkpoint a list of names. Every tensor starts on a 64-byte boundary; the padding between
/// them is zero and stays zero under every operation that is zero on zeros. **Local.**
class ParameterSet {
 public:
  ParameterSet() = default;
  /// All zero. @param type at::kFloat or at::kDouble
  /// @throws Error (internal) on a repeated name
  explicit ParameterSet(std::vector<ParameterShape> shapes, at::ScalarType type = at::kFloat,
                        at::Device device = at::kCPU);

  /// Another set of the same names, shapes, type and device, all zero.
  ParameterSet zeros_like() const;

  /// The whole buffer, padding included: [P].
  const Tensor& flat() const { return flat_; }
  /// A view of one tensor. @throws Error (internal) when there is none of that name
  const Tensor& operator[](std::string_view name) const;
  const Tensor& view(std::size_t index) const { return views_[index]; }

  const std::vector<ParameterShape>& shapes() const { return shapes_; }
  /// Elements without the padding.
  std::int64_t elements() const;

 private:
  std::vector<ParameterShape> shapes_;
  std::vector<Tensor> views_;
  Tensor flat_;
};

}  // namespace svi
