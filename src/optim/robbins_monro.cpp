#include "robbins_monro.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace svi {

double RobbinsMonro::rate(std::int64_t step) const {
  return std::pow(delay_ + static_cast<double>(step), -forgetting_rate_);
}

void RobbinsMonro::update(TrainingState& state, Contribution& direction) const {
  const double rho = rate(state.step);
  for (const ParameterShape& shape : direction.statistics.shapes())
    state.parameters[shape.name].add_(direction.statistics[shape.name], rho * direction.factor);
  if (direction.lazy_name.empty()) return;
  blend(state.parameters[direction.lazy_name], state.parameters.lazy(direction.lazy_name), rho,
        direction.rows, direction.shared_work());
}

}  // namespace svi
