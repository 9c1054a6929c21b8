// Of one feature, with m = ln μ, θ its inverse dispersion, t = m − ln θ and l the logit of its dropout:
//
//   ln NB(0)  = −θ ln(1 + e^t)
//   ln NB(x)  = ln NB(0) − x ln(1 + e^−t) + ln Γ(x + θ) − ln Γ(θ) − ln x!
//   ln ZINB(0) = ln(e^l + NB(0)) − ln(1 + e^l),   ln ZINB(x) = ln NB(x) − ln(1 + e^l)
//
// Nearly all counts are zero: they are one vectorised loop of softplus, the others a loop of their own.

#include "negative_binomial.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "svi/math/exponential.hpp"
#include "svi/math/special.hpp"
#include "unfit.hpp"

namespace svi {

namespace {

constexpr const char* parameter = "likelihood/log_dispersion";

template <typename Real>
struct Row {
  const Real* x;             // [D]
  const Real* log_theta;     // [D]
  const Real* theta;         // [D]
  Real* shares;              // [D] logits, overwritten by their gradient
  Real* dropout;             // [D] likewise; null: none
  Real* log_theta_gradient;  // [D] added to
  Real* by_log_mean;         // [D] scratch
  Real weight;
  std::int64_t width;
};

struct Shares {
  double highest;     // logit
  double normaliser;  // Σ e^(logit − highest)
  double log_scale;   // what makes a logit ln μ
};

template <typename Real>
SVI_INLINE Shares shares_body(const Row<Real>& row) {
  const Real* logits = row.shares;
  const Real* x = row.x;
  Real highest = logits[0];
  Real total = 0;
#pragma omp simd reduction(max : highest) reduction(+ : total)
  for (std::int64_t j = 0; j < row.width; ++j) {
    highest = logits[j] > highest ? logits[j] : highest;
    total += x[j];
  }
  Real normaliser = 0;
#pragma omp simd reduction(+ : normaliser)
  for (std::int64_t j = 0; j < row.width; ++j) normaliser += math::exp(logits[j] - highest);
  const double log_total = std::log(std::max(static_cast<double>(total), 1e-30));  // an empty row has no mean
  return {static_cast<double>(highest), static_cast<double>(normaliser),
          log_total - static_cast<double>(highest) - std::log(static_cast<double>(normaliser))};
}

// Σ over zeros of ln p(0) and its gradients; of the others only what dropout does to them.
template <bool is_inflated, typename Real>
SVI_INLINE double zeros_body(const Row<Real>& row, Real log_scale) {
  const Real* x = row.x;
  const Real* logits = row.shares;
  const Real* log_theta = row.log_theta;
  const Real* theta = row.theta;
  Real* dropout = row.dropout;
  Real* log_theta_gradient = row.log_theta_gradient;
  Real* by_log_mean = row.by_log_mean;
  const Real weight = row.weight;
  Real sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t j = 0; j < row.width; ++j) {
    const Real is_zero = x[j] == Real(0) ? Real(1) : Real(0);
    const auto over = math::softplus(logits[j] + log_scale - log_theta[j]);
    const Real empty = -theta[j] * over.value;
    Real value = empty;
    Real kept = 1;  // probability that a zero is the negative binomial's
    if constexpr (is_inflated) {
      const Real difference = dropout[j] - empty;
      const auto dropped = math::softplus(dropout[j]);
      const auto mixed = math::softplus(difference);
      value = difference > 0 ? dropout[j] + (mixed.value - difference) : empty + mixed.value;
      kept -= mixed.derivative;
      sum -= dropped.value;
      dropout[j] = weight * (is_zero * mixed.derivative - dropped.derivative);
    }
    sum += is_zero * value;
    const Real slope = -is_zero * kept * theta[j];
    by_log_mean[j] = slope * over.derivative;
    log_theta_gradient[j] += weight * slope * (over.value - over.derivative);
  }
  return static_cast<double>(sum);
}

// ln Γ(x + θ) − ln Γ(θ), which for few x is ln Π (θ + i), and its derivative by θ.
math::LogGamma<double> rising(double x, double theta) {
  if (x > 16) {
    const auto above = math::log_gamma_and_digamma(x + theta);
    const auto below = math::log_gamma_and_digamma(theta);
    return {above.value - below.value, above.digamma - below.digamma};
  }
  double product = 1;
  double reciprocals = 0;
  for (double i = 0; i < x; i += 1) {
    product *= theta + i;
    reciprocals += 1 / (theta + i);
  }
  return {std::log(product), reciprocals};
}

template <typename Real>
double occurring(const Row<Real>& row, double log_scale) {
  double sum = 0;
  for (std::int64_t j = 0; j < row.width; ++j) {
    if (row.x[j] == Real(0)) continue;
    const double x = row.x[j];
    const double theta = row.theta[j];
    const double t = static_cast<double>(row.shares[j]) + log_scale - static_cast<double>(row.log_theta[j]);
    const auto over = math::softplus(t);
    const auto under = math::softplus(-t);
    const auto gamma = rising(x, theta);
    sum += gamma.value - theta * over.value - x * under.value - std::lgamma(x + 1);
    row.by_log_mean[j] = static_cast<Real>(x * under.derivative - theta * over.derivative);
    const double by_log_theta = theta * (gamma.digamma - over.value + over.derivative) - x * under.derivative;
    row.log_theta_gradient[j] += static_cast<Real>(static_cast<double>(row.weight) * by_log_theta);
  }
  return sum;
}

// ∂/∂ logit_g = g_g − softmax_g · Σ g.
template <typename Real>
SVI_INLINE void through_softmax_body(const Row<Real>& row, Real highest, Real normaliser) {
  Real* shares = row.shares;
  const Real* by_log_mean = row.by_log_mean;
  const Real weight = row.weight;
  Real mass = 0;
#pragma omp simd reduction(+ : mass)
  for (std::int64_t j = 0; j < row.width; ++j) mass += by_log_mean[j];
  const Real factor = mass / normaliser;
#pragma omp simd
  for (std::int64_t j = 0; j < row.width; ++j) {
    shares[j] = weight * (by_log_mean[j] - factor * math::exp(shares[j] - highest));
  }
}

// The log-likelihood of a row, which becomes its gradient times the weight.
template <bool is_inflated, typename Real>
SVI_INLINE double row_body(const Row<Real>& row) {
  const Shares shares = shares_body(row);
  double sum = zeros_body<is_inflated>(row, static_cast<Real>(shares.log_scale));
  sum += occurring(row, shares.log_scale);
  through_softmax_body(row, static_cast<Real>(shares.highest), static_cast<Real>(shares.normaliser));
  return sum;
}

SVI_CPU_VERSIONS double plain(const Row<float>& row) { return row_body<false>(row); }
SVI_CPU_VERSIONS double inflated(const Row<float>& row) { return row_body<true>(row); }
double plain(const Row<double>& row) { return row_body<false>(row); }
double inflated(const Row<double>& row) { return row_body<true>(row); }

// Overwrites `output` by the gradient times the weights. All on the host.
// @return of each row, unweighted [B] float64
Tensor rows_of(const Tensor& x, const Tensor& output, const RowWeights& weights, const Tensor& log_dispersion,
               const Tensor& gradient) {
  const Tensor log_theta = log_dispersion.clamp(-15, 15);
  const Tensor theta = log_theta.exp();
  const Tensor scratch = at::empty_like(theta);
  const Tensor values = at::empty({x.size(0)}, at::kDouble);
  const std::int64_t width = x.size(1);
  const bool is_inflated = output.size(1) > width;
  AT_DISPATCH_FLOATING_TYPES(output.scalar_type(), "negative_binomial", [&] {
    for (std::int64_t b = 0; b < x.size(0); ++b) {
      scalar_t* const first = output.data_ptr<scalar_t>() + b * output.size(1);
      const Row<scalar_t> row{.x = x.const_data_ptr<scalar_t>() + b * width,
                              .log_theta = log_theta.const_data_ptr<scalar_t>(),
                              .theta = theta.const_data_ptr<scalar_t>(),
                              .shares = first,
                              .dropout = is_inflated ? first + width : nullptr,
                              .log_theta_gradient = gradient.data_ptr<scalar_t>(),
                              .by_log_mean = scratch.data_ptr<scalar_t>(),
                              .weight = static_cast<scalar_t>(weights[b]),
                              .width = width};
      values.data_ptr<double>()[b] = is_inflated ? inflated(row) : plain(row);
    }
  });
  return values;
}

}  // namespace

std::vector<ParameterShape> NegativeBinomial::parameter_shapes(std::int64_t features) const {
  return {{parameter, {features}}};
}

Tensor NegativeBinomial::encoder_input(const Tensor& x) const { return at::log1p(x); }

Tensor NegativeBinomial::log_likelihood(const Tensor& x, const Tensor& output,
                                        const ParameterSet& parameters) const {
  const Tensor log_dispersion = parameters[parameter].cpu();
  return rows_of(x.cpu(), output.cpu().clone(), 1.0, log_dispersion, at::empty_like(log_dispersion).zero_())
      .to(x.device());
}

double NegativeBinomial::log_likelihood_and_gradient(const Tensor& x, Tensor& output,
                                                     const RowWeights& weights,
                                                     const ParameterSet& parameters,
                                                     ParameterSet& gradients) const {
  const Tensor on_host = output.cpu();  // itself where it is there already
  const Tensor dispersion_gradient = at::zeros(parameters[parameter].sizes(), on_host.options());
  const Tensor rows = rows_of(x.cpu(), on_host, weights, parameters[parameter].cpu(), dispersion_gradient);
  if (!output.device().is_cpu()) output.copy_(on_host);
  gradients[parameter].add_(dispersion_gradient);
  return weights.sum(rows);
}

Tensor NegativeBinomial::mean(const Tensor& output) const {
  if (!is_zero_inflated_) return at::softmax(output, 1);
  const std::vector<Tensor> parts = output.chunk(2, 1);
  return at::softmax(parts[0], 1) * at::sigmoid(-parts[1]);
}

void NegativeBinomial::require_fit(const Tensor& x, std::span<const std::int64_t> ids) const {
  require_everywhere((x >= 0).logical_and(x - at::floor(x) == 0), x, ids,
                     fmt::format("model.likelihood {}negative_binomial needs counts: whole numbers from 0",
                                 is_zero_inflated_ ? "zero_inflated_" : ""));
}

}  // namespace svi
