#pragma once

#include "svi/distributions/likelihood.hpp"

namespace svi {

/// Independent Bernoulli features from logits, x in [0, 1]: grey pixels count as probabilities, as in
/// Kingma and Welling 2014, appendix C.1, and in every published figure for grey images.
class Bernoulli : public Likelihood {
 public:
  double log_likelihood_and_gradient(const at::Tensor& x, at::Tensor& output, double weight) const override;
  at::Tensor log_likelihood(const at::Tensor& x, const at::Tensor& output) const override;
  at::Tensor mean(const at::Tensor& output) const override;
  void require_fit(const at::Tensor& x) const override;
};

}  // namespace svi
