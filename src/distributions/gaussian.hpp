#pragma once

#include "svi/distributions/likelihood.hpp"

namespace svi {

/// Independent Gaussian features of one fixed variance, the decoder giving the mean (probabilistic PCA's
/// likelihood; Tipping and Bishop 1999).
class Gaussian : public Likelihood {
 public:
  explicit Gaussian(double variance) : variance_(variance) {}

  double log_likelihood_and_gradient(const at::Tensor& x, at::Tensor& output, double weight) const override;
  at::Tensor log_likelihood(const at::Tensor& x, const at::Tensor& output) const override;
  at::Tensor mean(const at::Tensor& output) const override { return output; }
  void require_fit(const at::Tensor& x) const override;

 private:
  double variance_;
};

}  // namespace svi
