#include "initialisation.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <span>

namespace svi {

void InitialValues::fill(const at::Tensor& weight, const at::Tensor& bias, double in, double out) {
  const bool is_uniform = kind_ == "uniform";
  const double units = kind_ == "he" ? in : in + out;
  fill_uniform(weight, is_uniform ? 1 / std::sqrt(in) : std::sqrt(6 / units));
  fill_uniform(bias, is_uniform ? 1 / std::sqrt(in) : 0);
}

void InitialValues::fill(const at::Tensor& values, double number) {
  values.fill_(number);
  ++next_tensor_;
}

void InitialValues::fill_uniform(const at::Tensor& values, double bound) {
  at::Tensor drawn = at::empty(values.sizes(), at::kFloat);
  noise_.fill_uniform({drawn.data_ptr<float>(), static_cast<std::size_t>(drawn.numel())},
                      Purpose::initialization, 0, next_tensor_++);
  values.copy_(drawn.mul_(2 * bound).sub_(bound));
}

}  // namespace svi
