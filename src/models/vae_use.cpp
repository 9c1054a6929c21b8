// What a trained VAE is used for: q(z|x) of rows, E[x|z], bounds on ln p(x) of single rows.

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "svi/distributions/diagonal_gaussian.hpp"
#include "svi/math/log_mean_exp.hpp"
#include "vae.hpp"
#include "vae_features.hpp"

namespace svi::vae {

namespace {

constexpr std::int64_t samples_at_once = 250;  // of one row: 250 × 784 outputs stay in the second-level cache

}  // namespace

Posterior Vae::encode(const ParameterSet& parameters, const Minibatch& rows, const Philox& noise) {
  const Tensor x = features(rows, noise, parameters.flat().scalar_type());
  const Tensor posterior = encoder_->forward(parameters, likelihood_->encoder_input(x));
  const std::int64_t width = options_.latent;
  return {posterior.narrow(1, 0, width).clone(at::MemoryFormat::Contiguous),
          at::exp(0.5 * posterior.narrow(1, width, width))};
}

Tensor Vae::decode(const ParameterSet& parameters, const Tensor& z) {
  return likelihood_->mean(decoder_->forward(parameters, z)) / likelihood_->white();
}

Tensor Vae::pictures(const Minibatch& rows) const {
  return as_numbers(std::get<DenseRows>(rows.rows), likelihood_->feature_kind(), at::kFloat) /
         likelihood_->white();
}

Tensor Vae::prior_draws(const ParameterSet& parameters, std::int64_t count, const Philox& noise) {
  const at::ScalarType type = parameters.flat().scalar_type();
  return prior_noise(count, options_.latent, noise, type).to(parameters.flat().device());
}

RowBounds Vae::bounds(const ParameterSet& parameters, const Minibatch& rows, const Philox& noise) {
  const Pass pass = forward(parameters, rows, noise);
  const Tensor by_draw = likelihood_->log_likelihood(pass.targets, pass.output, parameters);  // [L·B]
  const Tensor mean = pass.posterior.narrow(1, 0, options_.latent).to(at::kDouble);
  const Tensor log_variance = pass.posterior.narrow(1, options_.latent, options_.latent).to(at::kDouble);
  return {by_draw.view({options_.samples, rows.size()}).mean(0).to(at::kCPU),
          (0.5 * (mean * mean + at::exp(log_variance) - 1 - log_variance)).sum(1).to(at::kCPU)};
}

Tensor Vae::log_evidence(const ParameterSet& parameters, const Minibatch& rows, std::int64_t samples,
                         const Philox& noise) {
  const Tensor x = features(rows, noise, parameters.flat().scalar_type());
  const Tensor result = at::empty({rows.size()}, at::kDouble);
  for (std::int64_t b = 0; b < rows.size(); ++b) {
    const std::int64_t id = rows.ids[static_cast<std::size_t>(b)];
    result[b] = log_evidence_of(parameters, x.narrow(0, b, 1), id, samples, noise);
  }
  return result;
}

// One row [1, D] with its own draws, some at a time, is as many rows of the decoder's batch. The shapes of
// the products, and so their rounding, depend on L alone.
double Vae::log_evidence_of(const ParameterSet& parameters, const Tensor& x, std::int64_t id,
                            std::int64_t samples, const Philox& noise) {
  const Tensor posterior = encoder_->forward(parameters, likelihood_->encoder_input(x)).clone();
  const double log_deviation =  // ½ Σ ln σ²
      0.5 * posterior.narrow(1, options_.latent, options_.latent).sum(at::kDouble).item<double>();
  const std::int64_t most = std::min(samples, samples_at_once);
  const Tensor rows = x.repeat({most, 1});
  const Tensor posteriors = posterior.repeat({most, 1});
  math::LogMeanExp evidence;
  for (std::int64_t first = 0; first < samples; first += most) {
    const std::int64_t count = std::min(most, samples - first);
    const Tensor epsilon =
        importance_noise(id, first, count, options_.latent, noise, x.scalar_type()).to(x.device());
    Tensor z = at::empty_like(epsilon);
    diagonal_gaussian::reparameterise(posteriors.narrow(0, 0, count), epsilon, z);
    const Tensor log_ratio =  // ln p(z) − ln q(z|x) = Σ ½ (ε² + ln σ² − z²)
        (0.5 * (epsilon * epsilon - z * z)).sum(1, false, at::kDouble) + log_deviation;
    const Tensor& output = decoder_->forward(parameters, z);
    const Tensor log_weights =
        (likelihood_->log_likelihood(rows.narrow(0, 0, count), output, parameters) + log_ratio).to(at::kCPU);
    for (std::int64_t l = 0; l < count; ++l) evidence.add(log_weights.const_data_ptr<double>()[l]);
  }
  return evidence.value();
}

// Of a density over features in units of white, 255 grey steps, a step's probability is 1/255 of it.
double Vae::bits_per_dimension(double log_likelihood) const {
  const double bits = -log_likelihood / (static_cast<double>(shape_.width()) * std::numbers::ln2);
  const std::string& name = options_.likelihood.likelihood;
  const bool is_density = name == "gaussian" || name == "continuous_bernoulli";
  return is_density ? bits + std::log2(255.0) : bits;
}

}  // namespace svi::vae
