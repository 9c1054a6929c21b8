// What a minibatch adds to a step: the gradient of the objective, written out, and the parts of the ELBO.

#include <ATen/ATen.h>

#include <numeric>

#include "svi/distributions/diagonal_gaussian.hpp"
#include "vae.hpp"

namespace svi::vae {

void Vae::accumulate(const ParameterSet& parameters, const Minibatch& minibatch, const StepInputs& inputs,
                     Contribution& contribution) {
  ParameterSet& gradients = contribution.statistics;
  if (minibatch.size() == 0) {  // nothing to add, but every rank announces the same ranges
    gradients.flat().zero_();
    const std::int64_t decoder_first = gradients["decoder.0/weight"].storage_offset();
    contribution.mark_ready(decoder_first, gradients.flat().numel());
    contribution.mark_ready(0, decoder_first);
    return;
  }
  const auto previous = inputs.previous_means.find("kl");
  for (const ParameterShape& shape : likelihood_->parameter_shapes(shape_.width()))
    gradients[shape.name].zero_();  // likelihoods add to theirs; networks overwrite
  const KlTerm kl = kl_.at(minibatch.step, previous == inputs.previous_means.end()
                                               ? std::span<const double>()
                                               : std::span<const double>(previous->second));
  Pass pass = forward(parameters, minibatch, inputs.noise, PassMode::training);
  const auto rows = static_cast<double>(minibatch.size());
  contribution.terms.scalar("rows") += rows;
  add_kl(pass, contribution.terms["kl"]);
  if (kl_.varies()) contribution.terms.scalar("kl_weight") += kl.weight * rows;
  if (bound_.is_plain_elbo()) {
    accumulate_elbo(parameters, pass, kl, contribution);
  } else {
    accumulate_bound(parameters, pass, kl, contribution);
  }
}

void Vae::accumulate_elbo(const ParameterSet& parameters, Pass& pass, const KlTerm& kl,
                          Contribution& contribution) {
  ParameterSet& gradients = contribution.statistics;
  const std::int64_t decoder_first = gradients["decoder.0/weight"].storage_offset();
  const double reconstruction = likelihood_->log_likelihood_and_gradient(
      pass.targets, pass.output, 1.0 / static_cast<double>(options_.samples), parameters, gradients);
  contribution.terms.scalar("reconstruction") += reconstruction;
  if (!trains_elbo()) {
    contribution.terms.scalar("objective") +=
        reconstruction - kl.subtracted(contribution.terms["kl"], contribution.terms.scalar("rows"));
  }
  const Tensor z_gradient = decoder_->backward(parameters, pass.output, gradients, true);
  contribution.mark_ready(decoder_first, gradients.flat().numel());
  encoder_->backward(parameters, elbo_gradient(pass, z_gradient, kl), gradients, false);
  contribution.mark_ready(0, decoder_first);
}

// All but the plain ELBO: draws have weights of their own.
void Vae::accumulate_bound(const ParameterSet& parameters, Pass& pass, const KlTerm& kl,
                           Contribution& contribution) {
  ParameterSet& gradients = contribution.statistics;
  const std::int64_t decoder_first = gradients["decoder.0/weight"].storage_offset();
  const Tensor log_likelihood = likelihood_->log_likelihood(pass.targets, pass.output, parameters);
  const BoundTerms bound = bound_.at(log_weights(pass, log_likelihood, kl.weight), kl.weight);
  contribution.terms.scalar("reconstruction") +=
      log_likelihood.sum().item<double>() / static_cast<double>(options_.samples);
  if (!trains_elbo()) contribution.terms.scalar("objective") += bound.value.sum().item<double>();

  const Tensor z_gradient = decoder_gradient(parameters, pass, bound, gradients);
  contribution.mark_ready(decoder_first, gradients.flat().numel());
  const Tensor by_posterior =
      posterior_gradient(pass, z_gradient, kl.weight * bound.encoder, bound_.keeps_score());
  encoder_->backward(parameters, by_posterior, gradients, false);
  contribution.mark_ready(0, decoder_first);
}

// The decoder's gradient with its coefficients, and the gradient by z with the encoder's. Where these are no
// larger than the decoder's, one pass gives both.
Tensor Vae::decoder_gradient(const ParameterSet& parameters, Pass& pass, const BoundTerms& bound,
                             ParameterSet& gradients) {
  const auto backward = [&](Tensor& output, const Tensor& coefficients) {
    likelihood_->log_likelihood_and_gradient(pass.targets, output, RowWeights(coefficients.flatten()),
                                             parameters, gradients);
    return decoder_->backward(parameters, output, gradients, true);
  };
  if (bound_.parts_networks()) {
    Tensor output = pass.output.clone();
    const Tensor by_z = backward(output, bound.encoder).clone();
    for (const ParameterShape& shape : likelihood_->parameter_shapes(shape_.width()))
      gradients[shape.name].zero_();  // what is learned there is the decoder's
    backward(pass.output, bound.decoder);
    return by_z;
  }
  const Tensor by_z = backward(pass.output, bound.decoder);
  if (bound.encoder.is_same(bound.decoder)) return by_z;
  const Tensor part = at::where(bound.decoder > 0, bound.encoder / bound.decoder, 0.0);
  return by_z * part.reshape({-1, 1}).to(by_z.scalar_type());
}

Tensor Vae::elbo_gradient(const Pass& pass, const Tensor& z_gradient, const KlTerm& kl) const {
  Tensor gradient = at::zeros_like(pass.posterior);
  const std::int64_t rows = pass.posterior.size(0);
  const bool is_analytic = options_.elbo == "analytic";
  const double kl_weight = kl.is_uniform() ? kl.weight / static_cast<double>(options_.samples) : 0;
  for (std::int64_t l = 0; l < options_.samples; ++l) {
    const Tensor noise = pass.draws.noise.narrow(0, l * rows, rows);
    const Tensor by_z = z_gradient.narrow(0, l * rows, rows);  // ∂ Σ ln p(x|z) of this sample
    if (is_analytic) {
      diagonal_gaussian::add_gradient_analytic(pass.posterior, noise, by_z, kl_weight, gradient);
    } else {
      diagonal_gaussian::add_gradient_sampled(pass.posterior, noise, pass.draws.z.narrow(0, l * rows, rows),
                                              by_z, kl_weight, gradient);
    }
  }
  if (!kl.is_uniform()) add_kl_gradient(pass, is_analytic, kl.weights, gradient);
  return gradient;
}

bool Vae::tells_objective() const {
  return !kl_.uses_means() && !(bound_.is_elbo() && options_.kl.weight == 1);
}

double Vae::objective(const Pass& pass, const Tensor& log_likelihood) const {
  const double kl_weight = options_.kl.weight;
  if (!bound_.is_elbo())
    return bound_.at(log_weights(pass, log_likelihood, kl_weight), kl_weight).value.sum().item<double>();
  std::vector<double> kl(static_cast<std::size_t>(options_.latent), 0.0);
  add_kl(pass, kl);
  return log_likelihood.sum().item<double>() / static_cast<double>(options_.samples) -
         kl_weight * std::accumulate(kl.begin(), kl.end(), 0.0);
}

}  // namespace svi::vae
