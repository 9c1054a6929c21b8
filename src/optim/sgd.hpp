#pragma once

#include "gradient_ascent.hpp"

namespace svi {

/// Stochastic gradient ascent with momentum: b ← μ·b + g, θ ← θ + α·b (Polyak 1964, as PyTorch writes it).
class Sgd : public GradientAscent {
 public:
  using GradientAscent::GradientAscent;

  std::vector<std::string> state_names() const override;
  void update(TrainingState& state, Contribution& direction) const override;
};

}  // namespace svi
