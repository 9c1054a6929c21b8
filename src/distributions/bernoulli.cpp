#include "bernoulli.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <numeric>
#include <vector>

#include "svi/core/parallel.hpp"
#include "svi/math/exponential.hpp"
#include "unfit.hpp"

namespace svi {

namespace {

// ln p(x|l) = x·l − ln(1 + e^l), its derivative x − 1/(1 + e^−l); one row, in place.
template <typename Real>
SVI_INLINE double row_body(const Real* x, Real* logits, Real weight, std::int64_t width) {
  Real sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t j = 0; j < width; ++j) {
    const Real logit = logits[j];
    const auto softplus = math::softplus(logit);
    sum += x[j] * logit - softplus.value;
    logits[j] = weight * (x[j] - softplus.derivative);
  }
  return static_cast<double>(sum);
}

SVI_CPU_VERSIONS double row(const float* x, float* logits, float weight, std::int64_t width) {
  return row_body(x, logits, weight, width);
}

double row(const double* x, double* logits, double weight, std::int64_t width) {
  return row_body(x, logits, weight, width);
}

// The same without the gradient.
template <typename Real>
SVI_INLINE double value_body(const Real* x, const Real* logits, std::int64_t width) {
  Real sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t j = 0; j < width; ++j) sum += x[j] * logits[j] - math::softplus(logits[j]).value;
  return static_cast<double>(sum);
}

SVI_CPU_VERSIONS double value(const float* x, const float* logits, std::int64_t width) {
  return value_body(x, logits, width);
}

double value(const double* x, const double* logits, std::int64_t width) {
  return value_body(x, logits, width);
}

}  // namespace

double Bernoulli::log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                              const ParameterSet& parameters, ParameterSet&) const {
  if (!output.device().is_cpu()) {
    const double sum = weights.sum(log_likelihood(x, output, parameters));
    output.copy_(x - at::sigmoid(output));
    weights.scale(output);
    return sum;
  }
  const std::int64_t width = output.size(1);
  std::vector<double> rows(static_cast<std::size_t>(output.size(0)));
  AT_DISPATCH_FLOATING_TYPES(output.scalar_type(), "bernoulli", [&] {
    const auto* features = x.const_data_ptr<scalar_t>();
    auto* logits = output.data_ptr<scalar_t>();
    parallel_parts(output.size(0), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t b = first; b < last; ++b) {
        const double weight = weights[b];
        rows[static_cast<std::size_t>(b)] =
            weight * row(features + b * width, logits + b * width, static_cast<scalar_t>(weight), width);
      }
    });
  });
  return std::accumulate(rows.begin(), rows.end(), 0.0);  // in their order, on any number of threads
}

Tensor Bernoulli::log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet&) const {
  if (!output.device().is_cpu()) return (x * output - at::softplus(output)).sum(1, false, at::kDouble);
  const Tensor features = x.contiguous();
  const Tensor logits = output.contiguous();
  const std::int64_t width = output.size(1);
  Tensor rows = at::empty({output.size(0)}, at::kDouble);
  AT_DISPATCH_FLOATING_TYPES(output.scalar_type(), "bernoulli", [&] {
    auto* values = rows.mutable_data_ptr<double>();
    parallel_parts(output.size(0), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t b = first; b < last; ++b) {
        values[b] = value(features.const_data_ptr<scalar_t>() + b * width,
                          logits.const_data_ptr<scalar_t>() + b * width, width);
      }
    });
  });
  return rows;
}

Tensor Bernoulli::mean(const Tensor& output) const { return at::sigmoid(output); }

void Bernoulli::require_fit(const Tensor& x, std::span<const std::int64_t> ids) const {
  require_everywhere((x >= 0).logical_and(x <= 1), x, ids,
                     "model.likelihood bernoulli needs features from 0 to 1; scale them, or choose "
                     "model.likelihood: gaussian");
}

}  // namespace svi
