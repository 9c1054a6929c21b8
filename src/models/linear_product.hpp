#pragma once

#include <ATen/core/Tensor.h>

namespace svi {

/// The matrix products of one fully connected layer, y = x·Wᵀ, and of its way back.
///
/// In bfloat16 every factor is rounded to it, and so is every product, whose sums are taken in float32; what
/// goes in and comes out is of the parameters' type. **Local.**
class LinearProduct {
 public:
  explicit LinearProduct(bool in_bfloat16) : in_bfloat16_(in_bfloat16) {}

  /// y = x·Wᵀ. @param x [B, in] @param weight [out, in] @param y [B, out], overwritten
  void forward(const at::Tensor& x, const at::Tensor& weight, at::Tensor& y);
  /// ∂W = Gᵀ·x, of the last forward's x.
  /// @param gradient [B, out] @param by_weight [out, in], overwritten
  void backward_weight(const at::Tensor& gradient, const at::Tensor& x, at::Tensor& by_weight);
  /// ∂x = G·W, of the last forward's W and the G of the call of `backward_weight` before.
  /// @param by_input [B, in], overwritten
  void backward_input(const at::Tensor& gradient, const at::Tensor& weight, at::Tensor& by_input);

 private:
  // Rounded copies, in buffers that stay.
  struct Rounded {
    at::Tensor x;
    at::Tensor weight;
    at::Tensor gradient;
    at::Tensor product;
  };

  bool in_bfloat16_;
  Rounded rounded_;
};

}  // namespace svi
