#include "svi/optim/update_rule.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "adam.hpp"
#include "robbins_monro.hpp"
#include "sgd.hpp"
#include "svi/base/error.hpp"

namespace svi {

void OptimizerOptions::describe(OptionSet& options) {
  options.choice("type", type, {"adam", "sgd", "robbins_monro"}, "the update rule");
  if (type == "robbins_monro") {
    options.real("delay", delay, Range::at_least(1), "steps", "τ, slows the first steps");
    options.real("forgetting_rate", forgetting_rate, Range::between(0, 1), "",
                 "κ in ρ_t = (τ + t)^−κ; above 0.5 for convergence, 0 for batch variational Bayes");
    return;
  }
  options.real("learning_rate", learning_rate, Range::above(0), "", "step size");
  if (type == "adam") {
    const Range decay{.lowest = 0, .highest = 1, .highest_is_open = true};
    options.real("beta1", beta1, decay, "", "decay of the first moment");
    options.real("beta2", beta2, decay, "", "decay of the second moment");
    options.real("epsilon", epsilon, Range::at_least(1e-30), "", "added to the root of the second moment");
  } else {
    options.real("momentum", momentum, {.lowest = 0, .highest = 1, .highest_is_open = true}, "",
                 "μ; 0: none");
  }
  options.real("clip_norm", clip_norm, Range::at_least(0), "", "longest gradient, by its norm; 0: no limit");
  schedule.describe(options);
}

std::unique_ptr<UpdateRule> make_update_rule(const OptimizerOptions& options, std::int64_t total_steps) {
  if (options.type == "adam") return std::make_unique<Adam>(options, total_steps);
  if (options.type == "sgd") return std::make_unique<Sgd>(options, total_steps);
  if (options.type == "robbins_monro") return std::make_unique<RobbinsMonro>(options);
  throw Error(ExitCode::bad_config, "optimizer.type is {}; expected adam, sgd or robbins_monro",
              options.type);
}

void prepare_state(const UpdateRule& rule, TrainingState& state) {
  for (const std::string& name : rule.state_names()) {
    if (!state.optimizer.contains(name)) state.optimizer[name] = state.parameters.zeros_like();
  }
}

double clipped_factor(const Contribution& direction, double largest) {
  if (largest <= 0) return direction.factor;
  const double norm = std::sqrt(direction.statistics.flat().square().sum(at::kDouble).item<double>());
  return direction.factor * norm > largest ? largest / norm : direction.factor;
}

}  // namespace svi
