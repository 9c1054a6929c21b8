#include "sgd.hpp"

#include <ATen/ATen.h>

namespace svi {

std::vector<std::string> Sgd::state_names() const {
  std::vector<std::string> names;
  if (options().momentum > 0) names.emplace_back("momentum");
  if (keeps_average()) names.emplace_back("average");
  return names;
}

void Sgd::update(TrainingState& state, Contribution& total) const {
  const double step = rate(state.step);
  const double factor = clipped_factor(total);
  decay_weights(state.parameters, kept_share(state.step));
  if (options().momentum == 0) {
    state.parameters.flat().add_(total.statistics.flat(), step * factor);
  } else {
    const Tensor& momentum = state.optimizer.at("momentum").flat();
    momentum.mul_(options().momentum).add_(total.statistics.flat(), factor);
    state.parameters.flat().add_(momentum, step);
  }
  if (keeps_average()) move_average(state, average_share(state.updates()));
}

}  // namespace svi
