#pragma once

#include "svi/distributions/likelihood.hpp"

namespace svi {

/// Independent features with the density e^{x·l} l / (e^l − 1) on [0, 1] (Loaiza-Ganem and Cunningham 2019,
/// whose C(λ) λ^x (1 − λ)^{1−x} it is at λ = 1 / (1 + e^−l)): grey values as values, not as probabilities.
class ContinuousBernoulli : public Likelihood {
 public:
  double log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                     const ParameterSet& parameters, ParameterSet& gradients) const override;
  Tensor log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet& parameters) const override;
  Tensor mean(const Tensor& output) const override;
  void require_fit(const Tensor& x, std::span<const std::int64_t> ids) const override;
};

}  // namespace svi
