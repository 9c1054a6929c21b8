#pragma once

#include <string>

#include "svi/distributions/likelihood.hpp"

namespace svi {

/// Independent Gaussian features, the decoder giving the mean. The variance is one fixed number (mean squared
/// error; probabilistic PCA's likelihood, Tipping and Bishop 1999), one learned number, one for each feature,
/// or decoded: then the output is [B, 2D], means first.
///
/// A variance that is learned is e^s + 1e-6: without a floor the density of a feature that never changes has
/// none either. ln v = ln 1e-6 + softplus(s − ln 1e-6), finite for any s.
class Gaussian : public Likelihood {
 public:
  /// @param variance a number; or the word learned, learned_per_feature or decoded
  explicit Gaussian(NumberOrWord variance) : variance_(std::move(variance)) {}

  std::int64_t width(std::int64_t features) const override { return is_decoded() ? 2 * features : features; }
  std::vector<ParameterShape> parameter_shapes(std::int64_t features) const override;
  double log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                     const ParameterSet& parameters, ParameterSet& gradients) const override;
  Tensor log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet& parameters) const override;
  Tensor mean(const Tensor& output) const override;
  void require_fit(const Tensor& x, std::span<const std::int64_t> ids) const override;

 private:
  bool is_decoded() const { return variance_.word == "decoded"; }
  Tensor raw(const Tensor& output, const ParameterSet& parameters) const;
  Tensor log_likelihood_of(const Tensor& difference, const Tensor& log_variance) const;

  NumberOrWord variance_;
};

}  // namespace svi
