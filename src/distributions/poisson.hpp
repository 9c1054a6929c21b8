#pragma once

#include "svi/distributions/likelihood.hpp"

namespace svi {

/// Independent counts from log rates l: x·l − e^l − ln x!.
///
/// Beyond l = 20 (no count is above e^17) e^l goes on along its tangent, so that nothing overflows.
class Poisson : public Likelihood {
 public:
  FeatureKind feature_kind() const override { return FeatureKind::counts; }
  /// ln(1 + x).
  Tensor encoder_input(const Tensor& x) const override;
  double log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                     const ParameterSet& parameters, ParameterSet& gradients) const override;
  Tensor log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet& parameters) const override;
  Tensor mean(const Tensor& output) const override;
  void require_fit(const Tensor& x, std::span<const std::int64_t> ids) const override;
};

}  // namespace svi
