#include "svi/optim/update_rule.hpp"

#include <ATen/ATen.h>

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
  options.real("learning_rate", learning_rate, {.lowest = 0, .highest = 1e30, .lowest_is_open = true}, "",
               "step size");
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
  options.real(
      "weight_decay", weight_decay, Range::at_least(0), "",
      "λ: weights, and neither biases nor gains nor the likelihood's parameters, lose this times the "
      "rate at each step, apart from the gradient; 0: none");
  options.real(
      "average_decay", average_decay, {.lowest = 0, .highest = 1, .highest_is_open = true}, "",
      "of an exponential moving average of the parameters, which evaluations and svi-infer then read; "
      "0: none");
  schedule.describe(options);
}

namespace {

// A step would take more of a weight than there is.
void require_decay(const OptimizerOptions& options) {
  const double taken = options.learning_rate * options.weight_decay;
  if (taken <= 1) return;
  throw Error(ExitCode::bad_config,
              "optimizer.weight_decay is {}, which times optimizer.learning_rate {} takes {:.6g} of a weight "
              "at each step, expected at most 1; lower one of them",
              options.weight_decay, options.learning_rate, taken);
}

}  // namespace

std::unique_ptr<UpdateRule> make_update_rule(const OptimizerOptions& options, const RunLength& length) {
  if (options.type != "robbins_monro") require_decay(options);
  if (options.type == "adam") return std::make_unique<Adam>(options, length);
  if (options.type == "sgd") return std::make_unique<Sgd>(options, length);
  if (options.type == "robbins_monro") return std::make_unique<RobbinsMonro>(options);
  throw Error(ExitCode::bad_config, "optimizer.type is {}; expected adam, sgd or robbins_monro",
              options.type);
}

namespace {

constexpr const char* average = "average";

}  // namespace

void prepare_state(const UpdateRule& rule, TrainingState& state) {
  for (const std::string& name : rule.state_names()) {
    if (state.optimizer.contains(name)) continue;
    state.optimizer[name] = state.parameters.zeros_like();
    if (name == average) state.optimizer[name].flat().copy_(state.parameters.flat());
  }
}

const ParameterSet& evaluated_parameters(const TrainingState& state) {
  const auto found = state.optimizer.find(average);
  return found == state.optimizer.end() ? state.parameters : found->second;
}

}  // namespace svi
