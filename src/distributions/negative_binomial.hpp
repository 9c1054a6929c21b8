#pragma once

#include "svi/distributions/likelihood.hpp"

namespace svi {

/// Counts around the shares of a row's total, as scVI has them (Lopez et al. 2018, with the observed library
/// size): mean μ_g = (Σ_h x_h) · softmax(output)_g, variance μ + μ²/θ_g with a learned θ_g for each feature.
/// Zero-inflated, a feature is 0 with a decoded probability besides; the output is then [B, 2D], the
/// softmax's logits first.
///
/// On the host one fused pass, in which only the words that occur cost a logarithm of Γ; elsewhere the rows
/// are copied to the host. θ counts as within e^±15 (beyond, it is a Poisson, or all mass at zero), with the
/// gradient of the edge outside, so that it comes back.
class NegativeBinomial : public Likelihood {
 public:
  explicit NegativeBinomial(bool is_zero_inflated) : is_zero_inflated_(is_zero_inflated) {}

  std::int64_t width(std::int64_t features) const override {
    return is_zero_inflated_ ? 2 * features : features;
  }
  std::vector<ParameterShape> parameter_shapes(std::int64_t features) const override;
  FeatureKind feature_kind() const override { return FeatureKind::counts; }
  /// ln(1 + x).
  Tensor encoder_input(const Tensor& x) const override;
  double log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                     const ParameterSet& parameters, ParameterSet& gradients) const override;
  Tensor log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet& parameters) const override;
  /// For a row of total one.
  Tensor mean(const Tensor& output) const override;
  void require_fit(const Tensor& x, std::span<const std::int64_t> ids) const override;

 private:
  bool is_zero_inflated_;
};

}  // namespace svi
