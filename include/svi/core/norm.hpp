#pragma once

#include <ATen/core/Tensor.h>

namespace svi {

/// ‖values‖², summed in float64: not finite where any of them is not. @param values [n] float32 or float64,
/// contiguous. **Local.**
double squared_norm(const at::Tensor& values);

}  // namespace svi
