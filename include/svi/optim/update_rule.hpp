#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "svi/base/options.hpp"
#include "svi/core/contribution.hpp"
#include "svi/core/training_state.hpp"
#include "svi/optim/schedule.hpp"

namespace svi {

/// How an ascent direction becomes a step: owns the step size and the optimizer's state, and nothing else.
class UpdateRule {
 public:
  virtual ~UpdateRule() = default;

  /// The step size of step t = 0, 1, …
  virtual double rate(std::int64_t step) const = 0;
  /// What a training line calls it: "learning_rate" or "rho".
  virtual std::string rate_name() const = 0;
  /// Whether that step leaves nothing of the parameters before it.
  virtual bool forgets_all(std::int64_t /*step*/) const { return false; }
  /// What to change in the configuration when a run diverges, by the rule's keys.
  virtual std::string against_divergence() const {
    return "lower optimizer.learning_rate or set optimizer.clip_norm";
  }
  /// Names of the tensors it keeps in `TrainingState::optimizer`.
  virtual std::vector<std::string> state_names() const { return {}; }
  virtual bool depends_on_total_steps() const { return false; }
  /// What of its schedule begins only after the run's end, one line; empty: nothing.
  virtual std::string warning() const { return ""; }

  /// Moves `state.parameters` along the direction that `Model::to_direction` left in `direction` by the step
  /// `state.step`; leaves `state.step` to the caller. `direction` may be overwritten; clipping goes by its
  /// `squared_norm`. **Local**, the same on every rank; **Collective** where the direction has shared work.
  virtual void update(TrainingState& state, Contribution& direction) const = 0;
};

/// Keys of the section `optimizer`; each rule declares its own and no others.
struct OptimizerOptions {
  std::string type = "adam";
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double momentum = 0.0;
  double clip_norm = 0.0;
  double weight_decay = 0.0;
  double average_decay = 0.0;
  double delay = 10.0;
  double forgetting_rate = 0.7;
  ScheduleOptions schedule;

  /// Declares `type` and the keys of the rule that `type` names.
  void describe(OptionSet& options);
};

/// @throws Error (bad_config) for an unknown type, a schedule that contradicts itself, or a weight decay that
/// takes more than the whole weight
std::unique_ptr<UpdateRule> make_update_rule(const OptimizerOptions& options, const RunLength& length);

/// Makes the tensors the rule keeps, where they are missing: an average of the parameters as they are, all
/// else zero.
void prepare_state(const UpdateRule& rule, TrainingState& state);

/// The parameters that evaluations, and whoever uses a checkpoint, read: their exponential moving average
/// where the rule keeps one (optimizer.average_decay), else the parameters themselves. **Local.**
const ParameterSet& evaluated_parameters(const TrainingState& state);

}  // namespace svi
