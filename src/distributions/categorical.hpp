#pragma once

#include "svi/distributions/likelihood.hpp"

namespace svi {

/// Independent features of one of C classes each, numbered 0 … C − 1, by softmax (cross-entropy): pixels of
/// 256 levels, or tokens. The output is [B, D·C], a feature's C logits side by side.
class Categorical : public Likelihood {
 public:
  explicit Categorical(std::int64_t classes) : classes_(classes) {}

  std::int64_t width(std::int64_t features) const override { return features * classes_; }
  bool is_laid_out_by_feature() const override { return true; }
  FeatureKind feature_kind() const override { return FeatureKind::levels; }
  /// From 0 to 1.
  Tensor encoder_input(const Tensor& x) const override;
  double white() const override { return static_cast<double>(classes_ - 1); }
  double log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                     const ParameterSet& parameters, ParameterSet& gradients) const override;
  Tensor log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet& parameters) const override;
  /// Σ_c c · p_c.
  Tensor mean(const Tensor& output) const override;
  void require_fit(const Tensor& x, std::span<const std::int64_t> ids) const override;

 private:
  std::int64_t classes_;
};

}  // namespace svi
