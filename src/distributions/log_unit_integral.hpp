#pragma once

#include <ATen/ATen.h>

namespace svi {

/// ln ∫₀¹ e^−at dt = ln((1 − e^−a) / a) for a ≥ 0, exact to rounding: the quotient is near 1 for small a, and
/// 1 at 0.
inline at::Tensor log_unit_integral(const at::Tensor& a) {
  return at::where(a > 0, at::log(-at::expm1(-a) / a), at::zeros_like(a));
}

}  // namespace svi
