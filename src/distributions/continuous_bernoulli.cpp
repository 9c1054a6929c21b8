#include "continuous_bernoulli.hpp"

#include <ATen/ATen.h>

#include "log_unit_integral.hpp"
#include "unfit.hpp"

namespace svi {

namespace {

// ln ∫₀¹ e^{xl} dx = ln((e^l − 1) / l), even in l but for max(l, 0).
Tensor log_normaliser(const Tensor& logits) { return at::relu(logits) + log_unit_integral(at::abs(logits)); }

// Its derivative 1/(1 − e^−l) − 1/l; near 0 the two cancel and the series takes over, exact to l⁷/1209600.
Tensor normaliser_gradient(const Tensor& logits) {
  const Tensor square = logits * logits;
  const Tensor series = 0.5 + logits * (1.0 / 12 - square * (1.0 / 720 - square * (1.0 / 30240)));
  const Tensor quotients = -at::reciprocal(at::expm1(-logits)) - at::reciprocal(logits);
  return at::where(at::abs(logits) < 0.1, series, quotients);
}

}  // namespace

Tensor ContinuousBernoulli::log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet&) const {
  return (x * output - log_normaliser(output)).sum(1, false, at::kDouble);
}

double ContinuousBernoulli::log_likelihood_and_gradient(const Tensor& x, Tensor& output,
                                                        const RowWeights& weights,
                                                        const ParameterSet& parameters, ParameterSet&) const {
  const double sum = weights.sum(log_likelihood(x, output, parameters));
  output.copy_(x - normaliser_gradient(output));
  weights.scale(output);
  return sum;
}

Tensor ContinuousBernoulli::mean(const Tensor& output) const { return normaliser_gradient(output); }

void ContinuousBernoulli::require_fit(const Tensor& x, std::span<const std::int64_t> ids) const {
  require_everywhere(
      (x >= 0).logical_and(x <= 1), x, ids,
      "model.likelihood continuous_bernoulli needs features from 0 to 1; scale them, or choose "
      "model.likelihood: gaussian");
}

}  // namespace svi
