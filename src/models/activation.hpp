#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace svi {

/// Functions of a unit, each with the bias before it in the same pass over a layer. **Local.**
enum class Activation { none, relu, leaky_relu, tanh, gelu, silu };

/// Those of hidden layers, as in the configuration.
std::vector<std::string> activation_names();
/// @throws Error (internal) for another name
Activation activation_of(const std::string& name);

/// Whether its derivative follows from its argument, not from its value.
bool keeps_argument(Activation activation);

/// y ← f(y + b), in place.
/// @param bias [width]; undefined: none @param y [B, width], contiguous
/// @param argument y + b is copied there where `keeps_argument` [B, width]
void activate(Activation activation, const at::Tensor& bias, at::Tensor& y, at::Tensor& argument);

/// g ← g·f′, in place, and Σ over rows of that, which is the bias's gradient.
/// @param value f(y + b) of the way forward @param argument likewise y + b, where it is kept
/// @param sums [width], overwritten; undefined: not wanted
void through_activation(Activation activation, const at::Tensor& value, const at::Tensor& argument,
                        at::Tensor& gradient, at::Tensor& sums);

}  // namespace svi
