#include "gradient_ascent.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace svi {

double GradientAscent::clipped_factor(const Contribution& direction) const {
  const double norm = std::sqrt(direction.squared_norm);
  const bool is_longer = options_.clip_norm > 0 && !(norm <= options_.clip_norm);
  return is_longer ? direction.factor * options_.clip_norm / norm : direction.factor;
}

double GradientAscent::average_share(std::int64_t updates) const {
  const double decay = options_.average_decay;
  return (1 - decay) / (1 - std::pow(decay, static_cast<double>(updates + 1)));
}

std::vector<Stretch> stretches(const ParameterSet& parameters) {
  std::vector<Stretch> list;
  const std::vector<ParameterShape>& shapes = parameters.shapes();
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const bool is_last = i + 1 == shapes.size();
    const std::int64_t end = is_last ? parameters.flat().numel() : parameters.view(i + 1).storage_offset();
    const bool decays = shapes[i].shape.size() >= 2;
    if (list.empty() || list.back().decays != decays)
      list.push_back({parameters.view(i).storage_offset(), end, decays});
    list.back().last = end;
  }
  return list;
}

void decay_weights(const ParameterSet& parameters, double kept) {
  if (kept == 1) return;
  for (const Stretch& stretch : stretches(parameters)) {
    if (stretch.decays) parameters.flat().slice(0, stretch.first, stretch.last).mul_(kept);
  }
}

void move_average(TrainingState& state, double share) {
  state.optimizer.at("average").flat().lerp_(state.parameters.flat(), share);
}

}  // namespace svi
