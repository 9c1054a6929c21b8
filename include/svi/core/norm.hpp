#pragma once

#include <ATen/core/Tensor.h>

namespace svi {

/// ‖values‖²: of float32 right to 17·2^−24 of it, of float64 to the rounding of sums; not finite where any of them is
/// not. @param values [n] float32 or float64, contiguous. **Local.**
double squared_norm(const at::Tensor& values);

}  // namespace svi
