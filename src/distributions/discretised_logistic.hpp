#pragma once

#include "svi/distributions/likelihood.hpp"

namespace svi {

/// Pixels of 256 levels k/255, each the mass of a logistic distribution within ±1/510 of it, with open tails
/// at 0 and 1 (Kingma et al. 2016; Salimans et al. 2017, one component). The output is [B, 2D], means first,
/// then r of the scale s = e^r + e^−7: theirs is max(e^r, e^−7), beyond which no gradient comes back.
class DiscretisedLogistic : public Likelihood {
 public:
  std::int64_t width(std::int64_t features) const override { return 2 * features; }
  double log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                     const ParameterSet& parameters, ParameterSet& gradients) const override;
  Tensor log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet& parameters) const override;
  /// The logistic's mean, within [0, 1].
  Tensor mean(const Tensor& output) const override;
  void require_fit(const Tensor& x, std::span<const std::int64_t> ids) const override;
};

}  // namespace svi
