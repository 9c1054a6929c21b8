// With a and b the pixel's edges in units of the scale, σ the logistic function and δ = b − a,
//
//   σ(b) − σ(a) = σ(b) σ(−a) (1 − e^−δ),
//
// whose logarithm is a sum of three terms that never overflow or cancel; at an open tail one of the first two
// remains alone.

#include "discretised_logistic.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "log_unit_integral.hpp"
#include "unfit.hpp"

namespace svi {

namespace {

constexpr double half_bin = 1.0 / 510;
constexpr double log_floor = -7;

Tensor exact_softplus(const Tensor& values) { return at::softplus(values, 1, 40); }

struct Bins {
  Bins(const Tensor& x, const Tensor& output)
      : raw(output.chunk(2, 1)[1]),
        log_scale(exact_softplus(raw - log_floor) + log_floor),
        inverse(at::exp(-log_scale)),
        low((x - output.chunk(2, 1)[0] - half_bin) * inverse),
        high((x - output.chunk(2, 1)[0] + half_bin) * inverse),
        has_low((x > half_bin).to(x.scalar_type())),
        has_high((x < 1 - half_bin).to(x.scalar_type())) {}

  // ln(1 − e^−δ) = ln δ + ln((1 − e^−δ)/δ)
  Tensor log_probability() const {
    const Tensor width = log_unit_integral(2 * half_bin * inverse) + (std::log(2 * half_bin) - log_scale);
    return -has_high * exact_softplus(-high) - has_low * exact_softplus(low) + has_low * has_high * width;
  }

  Tensor by_mean() const { return (has_low * at::sigmoid(low) - has_high * at::sigmoid(-high)) * inverse; }

  Tensor by_raw() const {
    const Tensor delta = 2 * half_bin * inverse;
    const Tensor of_width = at::where(delta > 0, delta / at::expm1(delta), at::ones_like(delta));
    const Tensor by_log_scale = has_low * low * at::sigmoid(low) - has_high * high * at::sigmoid(-high) -
                                has_low * has_high * of_width;
    return by_log_scale * at::sigmoid(raw - log_floor);
  }

  Tensor raw;
  Tensor log_scale;
  Tensor inverse;   // 1/s
  Tensor low;       // a
  Tensor high;      // b
  Tensor has_low;   // 0 where the tail below is open, else 1
  Tensor has_high;  // the same above
};

}  // namespace

Tensor DiscretisedLogistic::log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet&) const {
  return Bins(x, output).log_probability().sum(1, false, at::kDouble);
}

double DiscretisedLogistic::log_likelihood_and_gradient(const Tensor& x, Tensor& output,
                                                        const RowWeights& weights, const ParameterSet&,
                                                        ParameterSet&) const {
  const Bins bins(x, output);
  const double sum = weights.sum(bins.log_probability().sum(1, false, at::kDouble));
  output.copy_(at::cat({bins.by_mean(), bins.by_raw()}, 1));
  weights.scale(output);
  return sum;
}

Tensor DiscretisedLogistic::mean(const Tensor& output) const { return output.chunk(2, 1)[0].clamp(0, 1); }

void DiscretisedLogistic::require_fit(const Tensor& x, std::span<const std::int64_t> ids) const {
  const Tensor level = x * 255;
  const Tensor is_level = at::abs(level - at::round(level)) < 1e-3;  // float32 holds k/255 to 2e-5 of a level
  require_everywhere(
      (x >= 0).logical_and(x <= 1).logical_and(is_level), x, ids,
      "model.likelihood discretised_logistic needs bytes, or the numbers k/255 for k from 0 to "
      "255; for other features choose model.likelihood: gaussian");
}

}  // namespace svi
