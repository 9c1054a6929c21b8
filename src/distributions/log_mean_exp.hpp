#pragma once

#include <ATen/ATen.h>

namespace svi {

/// ln((1 − e^−a) / a) for a ≥ 0, exact to rounding: the quotient is near 1 for small a, and 1 at 0.
inline at::Tensor log_mean_exp(const at::Tensor& a) {
  return at::where(a > 0, at::log(-at::expm1(-a) / a), at::zeros_like(a));
}

}  // namespace svi
