#pragma once

#include <cstdint>
#include <vector>

#include "svi/optim/update_rule.hpp"

namespace svi {

/// What all rules that follow a plain gradient take besides their step.
///
/// - optimizer.clip_norm: a longer direction is scaled to that norm (Pascanu et al. 2013).
/// - optimizer.weight_decay λ: θ ← (1 − αλ)θ before the step α, apart from the gradient and its moments
///   (Loshchilov and Hutter 2019, algorithm 2, with α the rate at that step as PyTorch's AdamW has it). Of
///   weights alone: tensors of two or more dimensions, so that biases, gains and the likelihood's own
///   parameters are left alone.
/// - optimizer.average_decay d: the exponential moving average of θ, corrected for its start: after t updates
///   Σ_s d^(t−s) θ_s / Σ_s d^(t−s), kept by average ← average + (1 − d)/(1 − d^t) · (θ − average).
class GradientAscent : public UpdateRule {
 public:
  GradientAscent(const OptimizerOptions& options, const RunLength& length)
      : options_(options), schedule_(options.schedule, length) {}

  double rate(std::int64_t step) const override { return options_.learning_rate * schedule_.factor(step); }
  std::string rate_name() const override { return "learning_rate"; }
  bool depends_on_total_steps() const override { return schedule_.depends_on_total_steps(); }
  std::string warning() const override { return schedule_.warning(); }

 protected:
  const OptimizerOptions& options() const { return options_; }
  bool keeps_average() const { return options_.average_decay > 0; }
  /// The direction's factor, or a smaller one with which it is no longer than clip_norm.
  double clipped_factor(const Contribution& direction) const;
  /// What a weight is multiplied by before the step: 1 − αλ.
  double kept_share(std::int64_t step) const { return 1 - rate(step) * options_.weight_decay; }
  /// By how much the average moves towards the parameters. @param updates made before this one
  double average_share(std::int64_t updates) const;

 private:
  OptimizerOptions options_;
  Schedule schedule_;
};

/// Consecutive elements of a flat buffer that weight decay treats alike.
struct Stretch {
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool decays = false;
};

/// The whole buffer, padding included, in as few stretches as there can be.
std::vector<Stretch> stretches(const ParameterSet& parameters);

/// Multiplies weights by `kept`. **Local.**
void decay_weights(const ParameterSet& parameters, double kept);

/// average ← average + share · (parameters − average). **Local.**
void move_average(TrainingState& state, double share);

}  // namespace svi
