#include "poisson.hpp"

#include <ATen/ATen.h>

#include "unfit.hpp"

namespace svi {

namespace {

constexpr double tangent_from = 20;

Tensor slope(const Tensor& output) { return at::exp(at::clamp_max(output, tangent_from)); }

Tensor rate(const Tensor& output) { return slope(output) * (1 + at::relu(output - tangent_from)); }

}  // namespace

Tensor Poisson::encoder_input(const Tensor& x) const { return at::log1p(x); }

Tensor Poisson::log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet&) const {
  return (x * output - rate(output) - at::lgamma(x + 1)).sum(1, false, at::kDouble);
}

double Poisson::log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                            const ParameterSet& parameters, ParameterSet&) const {
  const double sum = weights.sum(log_likelihood(x, output, parameters));
  output.copy_(x - slope(output));
  weights.scale(output);
  return sum;
}

Tensor Poisson::mean(const Tensor& output) const { return rate(output); }

void Poisson::require_fit(const Tensor& x, std::span<const std::int64_t> ids) const {
  require_everywhere((x >= 0).logical_and(x - at::floor(x) == 0), x, ids,
                     "model.likelihood poisson needs counts: whole numbers from 0");
}

}  // namespace svi
