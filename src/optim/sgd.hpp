#pragma once

#include "svi/optim/update_rule.hpp"

namespace svi {

/// Stochastic gradient ascent with momentum: b ← μ·b + g, θ ← θ + α·b (Polyak 1964, as PyTorch writes it).
class Sgd : public UpdateRule {
 public:
  Sgd(const OptimizerOptions& options, std::int64_t total_steps)
      : options_(options), schedule_(options.schedule, total_steps) {}

  double rate(std::int64_t step) const override { return options_.learning_rate * schedule_.factor(step); }
  std::string rate_name() const override { return "learning_rate"; }
  std::vector<std::string> state_names() const override;
  bool depends_on_total_steps() const override { return schedule_.depends_on_total_steps(); }
  void update(TrainingState& state, Contribution& direction) const override;

 private:
  OptimizerOptions options_;
  Schedule schedule_;
};

}  // namespace svi
