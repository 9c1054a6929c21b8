#pragma once

#include "gradient_ascent.hpp"

namespace svi {

/// Kingma and Ba 2015, algorithm 1, ascending, in one pass over the flat buffers: with clipping, weight decay
/// (then AdamW) and the average of the parameters in the same pass.
///
/// As in its section 2's more efficient form: θ += α·√(1 − β₂^t)/(1 − β₁^t) · m / (√v + ε√(1 − β₂^t)), which
/// is the algorithm's own step and not the variant with another ε.
class Adam : public GradientAscent {
 public:
  using GradientAscent::GradientAscent;

  std::vector<std::string> state_names() const override;
  void update(TrainingState& state, Contribution& direction) const override;
};

}  // namespace svi
