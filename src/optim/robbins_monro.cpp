#include "robbins_monro.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace svi {

double RobbinsMonro::rate(std::int64_t step) const {
  return std::pow(delay_ + static_cast<double>(step), -forgetting_rate_);
}

void RobbinsMonro::update(TrainingState& state, Tensor& direction) const {
  state.parameters.flat().add_(direction, rate(state.step));
}

}  // namespace svi
