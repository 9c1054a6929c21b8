#include "gaussian.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "unfit.hpp"

namespace svi {

namespace {

constexpr const char* parameter = "likelihood/log_variance";
const double log_floor = std::log(1e-6);

Tensor log_variance_of(const Tensor& raw) { return at::softplus(raw - log_floor, 1, 40) + log_floor; }

}  // namespace

std::vector<ParameterShape> Gaussian::parameter_shapes(std::int64_t features) const {
  if (variance_.word == "learned") return {{parameter, {1}}};
  if (variance_.word == "learned_per_feature") return {{parameter, {features}}};
  return {};
}

// s as the parameter or the decoder gives it: [1], [D] or [B, D].
Tensor Gaussian::raw(const Tensor& output, const ParameterSet& parameters) const {
  return is_decoded() ? output.chunk(2, 1)[1] : parameters[parameter];
}

// ln N(x; m, v) = −½ ((x − m)²/v + ln v + ln 2π).
Tensor Gaussian::log_likelihood_of(const Tensor& difference, const Tensor& log_variance) const {
  const double constant = -0.5 * std::log(2 * std::numbers::pi) * static_cast<double>(difference.size(1));
  return -0.5 * (difference * difference * at::exp(-log_variance) + log_variance).sum(1, false, at::kDouble) +
         constant;
}

Tensor Gaussian::log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet& parameters) const {
  if (variance_.word.empty()) {
    const Tensor difference = x - output;
    const double constant =
        0.5 * std::log(2 * std::numbers::pi * variance_.number) * static_cast<double>(x.size(1));
    return (difference * difference).sum(1, false, at::kDouble) * (-0.5 / variance_.number) - constant;
  }
  return log_likelihood_of(x - mean(output), log_variance_of(raw(output, parameters)));
}

double Gaussian::log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                             const ParameterSet& parameters, ParameterSet& gradients) const {
  if (variance_.word.empty()) {
    const double sum = weights.sum(log_likelihood(x, output, parameters));
    output.sub_(x).mul_(-1 / variance_.number);  // ∂/∂m of −(x − m)² / 2v is (x − m) / v
    weights.scale(output);
    return sum;
  }
  const Tensor s = raw(output, parameters);
  const Tensor log_variance = log_variance_of(s);
  const Tensor difference = x - mean(output);
  const double sum = weights.sum(log_likelihood_of(difference, log_variance));
  const Tensor by_mean = difference * at::exp(-log_variance);
  // ∂/∂s = ½ ((x − m)²/v − 1) · ∂ ln v/∂s
  Tensor by_s = 0.5 * (difference * by_mean - 1) * at::sigmoid(s - log_floor);
  if (is_decoded()) {
    output.copy_(at::cat({by_mean, by_s}, 1));
    weights.scale(output);
    return sum;
  }
  output.copy_(by_mean);
  weights.scale(output);
  weights.scale(by_s);
  gradients[parameter].add_(s.size(0) == 1 ? by_s.sum() : by_s.sum(0));
  return sum;
}

Tensor Gaussian::mean(const Tensor& output) const { return is_decoded() ? output.chunk(2, 1)[0] : output; }

void Gaussian::require_fit(const Tensor& x, std::span<const std::int64_t> ids) const {
  require_everywhere(at::isfinite(x), x, ids, "model.likelihood gaussian needs finite features");
}

}  // namespace svi
