#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "network.hpp"

namespace svi {

/// Leaves out units of one layer in training, and multiplies the others by 1/(1 − rate), so that their mean
/// is what it is without (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, section 10). Of
/// maps whole channels are left out, as a pixel's neighbours would tell it (Tompson et al. 2015).
///
/// Which ones is keyed by (seed, step, row id, sample, layer), so it is the same on any rank. **Local.**
class Dropout {
 public:
  explicit Dropout(double rate = 0) : rate_(rate) {}

  /// What the next layer is to see of `values`: a buffer, or `values` where nothing is dropped.
  /// @param values [B, units], or maps [B, channels, height, width]
  /// @param training null to drop nothing @param layer counted within the network
  const at::Tensor& forward(const at::Tensor& values, const TrainingRows* training, std::int64_t layer);
  /// What the last forward gave.
  const at::Tensor& output() const { return output_; }
  /// From the gradient by what it gave to the gradient by what it was given, in place.
  void backward(at::Tensor& gradient) const;

  bool drops() const { return rate_ > 0; }

 private:
  double rate_;
  at::Tensor factors_;  // 0 or 1/(1 − rate): [B, units] or [B, channels, 1, 1]; undefined: all one
  at::Tensor output_;
};

}  // namespace svi
