#pragma once

#include "svi/distributions/likelihood.hpp"

namespace svi {

/// Independent Bernoulli features from logits, x in [0, 1]: grey pixels count as probabilities, as in
/// Kingma and Welling 2014, appendix C.1, and in every published figure for grey images.
class Bernoulli : public Likelihood {
 public:
  double log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                     const ParameterSet& parameters, ParameterSet& gradients) const override;
  Tensor log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet& parameters) const override;
  Tensor mean(const Tensor& output) const override;
  void require_fit(const Tensor& x, std::span<const std::int64_t> ids) const override;
};

}  // namespace svi
