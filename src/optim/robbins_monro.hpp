#pragma once

#include "svi/optim/update_rule.hpp"

namespace svi {

/// λ ← λ + ρ_t (λ̂ − λ) with ρ_t = (τ + t)^−κ, t = 0, 1, …, the direction being the natural gradient λ̂ − λ;
/// of a lazy matrix the direction is given by λ̂, by rows.
///
/// Source: Robbins and Monro 1951; Hoffman et al. 2013, eq. 26 (their t counts from 1; τ ≥ 1 here for that
/// reason). κ in (0.5, 1] converges; κ = 0 with the whole data as minibatch is batch variational Bayes.
class RobbinsMonro : public UpdateRule {
 public:
  explicit RobbinsMonro(const OptimizerOptions& options)
      : delay_(options.delay), forgetting_rate_(options.forgetting_rate) {}

  double rate(std::int64_t step) const override;
  std::string rate_name() const override { return "rho"; }
  bool forgets_all(std::int64_t step) const override { return rate(step) >= 1; }
  std::string against_divergence() const override {
    return "raise optimizer.delay or optimizer.forgetting_rate";
  }
  void update(TrainingState& state, Contribution& direction) const override;

 private:
  double delay_;
  double forgetting_rate_;
};

}  // namespace svi
