#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "matrix_kernel.hpp"
#include "svi/base/aligned_buffer.hpp"

namespace svi {

/// The matrix products of one fully connected layer, y = x·Wᵀ, and of its way back.
///
/// Weights lie in memory as Wᵀ [in, out], as in a ParameterSet: sums over rows of that are what the way forward and the
/// weight's gradient are made of, and zeros of x (pixels, counts, rectified units) can be passed over in both. In
/// float32 on a CPU by the kernels of matrix_kernel.hpp, else by LibTorch. In bfloat16 every factor is rounded to it
/// (denormal numbers may count as zero), the sums of products are taken and given in float32; what goes in and comes
/// out is of the parameters' type. **Local.**
class LinearProduct {
 public:
  explicit LinearProduct(bool in_bfloat16);

  /// y = x·Wᵀ. @param x [B, in] @param weight [out, in] @param y [B, out], contiguous, overwritten
  void forward(const at::Tensor& x, const at::Tensor& weight, at::Tensor& y);
  /// ∂W = Gᵀ·x. @param gradient [B, out] @param by_weight [out, in], in memory as its transpose, overwritten
  void backward_weight(const at::Tensor& gradient, const at::Tensor& x, at::Tensor& by_weight);
  /// ∂x = G·W. @param by_input [B, in], contiguous, overwritten
  void backward_input(const at::Tensor& gradient, const at::Tensor& weight, at::Tensor& by_input);

 private:
  at::Tensor factor(const at::Tensor& values) const;
  void multiply(const at::Tensor& a, bool by_columns, const at::Tensor& b, at::Tensor c);
  void multiply_transposed(const at::Tensor& a, const at::Tensor& b, at::Tensor c);
  template <typename Kernel, typename Unit>
  void times(const Kernel& kernel, const matrix::ProductTask<Unit>& task);

  bool in_bfloat16_;
  const matrix::PairKernel* pairs_;    // null where factors are not paired
  AlignedBuffer<matrix::Pair> left_;   // rounded factors in pairs
  AlignedBuffer<matrix::Pair> right_;
  AlignedBuffer<std::int32_t> counts_;  // see Nonzeros
  AlignedBuffer<matrix::Nonzero> nonzeros_;
};

}  // namespace svi
