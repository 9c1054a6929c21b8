#pragma once

#include "svi/optim/update_rule.hpp"

namespace svi {

/// Kingma and Ba 2015, algorithm 1, ascending, in one pass over the flat buffers.
///
/// As in its section 2's more efficient form: θ += α·√(1 − β₂^t)/(1 − β₁^t) · m / (√v + ε√(1 − β₂^t)), which
/// is the algorithm's own step and not the variant with another ε.
class Adam : public UpdateRule {
 public:
  Adam(const OptimizerOptions& options, std::int64_t total_steps)
      : options_(options), schedule_(options.schedule, total_steps) {}

  double rate(std::int64_t step) const override { return options_.learning_rate * schedule_.factor(step); }
  std::string rate_name() const override { return "learning_rate"; }
  std::vector<std::string> state_names() const override { return {"first_moment", "second_moment"}; }
  bool depends_on_total_steps() const override { return schedule_.depends_on_total_steps(); }
  void update(TrainingState& state, Contribution& direction) const override;

 private:
  OptimizerOptions options_;
  Schedule schedule_;
};

}  // namespace svi
