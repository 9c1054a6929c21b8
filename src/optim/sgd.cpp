#include "sgd.hpp"

#include <ATen/ATen.h>

namespace svi {

std::vector<std::string> Sgd::state_names() const {
  if (options_.momentum == 0) return {};
  return {"momentum"};
}

void Sgd::update(TrainingState& state, Contribution& total) const {
  const Tensor& direction = total.statistics.flat();
  const double factor = clipped_factor(total, options_.clip_norm);
  const double step = rate(state.step);
  if (options_.momentum == 0) {
    state.parameters.flat().add_(direction, factor * step);
    return;
  }
  const Tensor& momentum = state.optimizer.at("momentum").flat();
  momentum.mul_(options_.momentum).add_(direction, factor);
  state.parameters.flat().add_(momentum, step);
}

}  // namespace svi
