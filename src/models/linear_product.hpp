#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "svi/base/aligned_buffer.hpp"

namespace svi {

/// The matrix products of one fully connected layer, y = x·Wᵀ, and of its way back.
///
/// In float32 on a CPU by the kernels of matrix_kernel.hpp, else by LibTorch. In bfloat16 every factor is rounded to
/// it (denormal numbers may count as zero), the sums of products are taken and given in float32; what goes in and
/// comes out is of the parameters' type. **Local.**
class LinearProduct {
 public:
  explicit LinearProduct(bool in_bfloat16) : in_bfloat16_(in_bfloat16) {}

  /// y = x·Wᵀ. @param x [B, in] @param weight [out, in] @param y [B, out], contiguous, overwritten
  void forward(const at::Tensor& x, const at::Tensor& weight, at::Tensor& y);
  /// ∂W = Gᵀ·x. @param gradient [B, out] @param by_weight [out, in], contiguous, overwritten
  void backward_weight(const at::Tensor& gradient, const at::Tensor& x, at::Tensor& by_weight);
  /// ∂x = G·W. @param by_input [B, in], contiguous, overwritten
  void backward_input(const at::Tensor& gradient, const at::Tensor& weight, at::Tensor& by_input);

 private:
  void multiply(const at::Tensor& a, bool a_transposed, const at::Tensor& b, bool b_transposed, at::Tensor& c);

  bool in_bfloat16_;
  AlignedBuffer<std::uint32_t> left_;  // rounded factors in pairs
  AlignedBuffer<std::uint32_t> right_;
};

}  // namespace svi
