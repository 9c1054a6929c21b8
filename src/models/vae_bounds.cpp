#include "vae_bounds.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "svi/base/error.hpp"
#include "vae.hpp"

namespace svi::vae {

void BoundOptions::describe(OptionSet& objective) {
  objective.choice("bound", bound, {"elbo", "iwae", "miwae", "ciwae", "piwae", "renyi"},
                   "what is trained; all but the elbo weigh the draws by their importance");
  objective.integer("groups", groups, Range::between(1, 10000), "groups",
                    "miwae, piwae: M, into which the draws are divided");
  objective.real("ciwae_weight", ciwae_weight, Range::between(0, 1), "", "ciwae: share of the elbo");
  objective.real("renyi_alpha", renyi_alpha, Range::between(-100, 100), "",
                 "renyi: α; 0 is the iwae, towards 1 the elbo, below 0 no lower bound");
  objective.choice(
      "gradient", gradient, {"plain", "stl", "dreg"},
      "of the encoder; stl: without the score of q, less noise near the optimum; dreg: the same, "
      "unbiased for weighted draws too");
}

namespace {

void require_groups(const BoundOptions& options, std::int64_t samples) {
  const bool takes_groups = options.bound == "miwae" || options.bound == "piwae";
  if (!takes_groups && options.groups != 1) {
    throw Error(
        ExitCode::bad_config,
        "objective.groups is {}, but objective.bound {} has none; choose miwae or piwae, or remove it",
        options.groups, options.bound);
  }
  if (samples % options.groups != 0) {
    throw Error(ExitCode::bad_config,
                "objective.samples is {}, which objective.groups {} does not divide; make it a multiple",
                samples, options.groups);
  }
}

}  // namespace

Bound::Bound(const BoundOptions& options, std::int64_t samples, bool is_analytic, bool kl_uses_means)
    : options_(options), samples_(samples) {
  require_groups(options, samples);
  if (options.bound == "renyi" && options.renyi_alpha == 1) {
    throw Error(ExitCode::bad_config,
                "objective.renyi_alpha is 1, where the bound is the elbo; choose objective.bound: elbo");
  }
  if (is_elbo() && !keeps_score() && is_analytic) {
    throw Error(ExitCode::bad_config,
                "objective.gradient {} leaves out the score of a sampled ln q, but objective.elbo: analytic "
                "samples none; set objective.elbo: sampled, or objective.gradient: plain",
                options.gradient);
  }
  if (!is_plain_elbo() && kl_uses_means) {
    throw Error(ExitCode::bad_config,
                "objective.kl.free_bits, balancing and capacity change the KL by dimension, which "
                "objective.bound {} with objective.gradient {} has only within the weights of its draws; "
                "remove them, or choose objective.bound: elbo with objective.gradient: plain",
                options.bound, options.gradient);
  }
}

BoundTerms Bound::part(const Tensor& log_weights, double kl_weight, std::int64_t groups, double power) const {
  const std::int64_t draws = log_weights.size(0) / groups;
  const Tensor powers = power * log_weights.view({groups, draws, -1});
  const Tensor normalised = at::softmax(powers, 1);
  BoundTerms terms;
  terms.value = (at::logsumexp(powers, 1) - std::log(static_cast<double>(draws))).mean(0) / power;
  terms.decoder = (normalised / static_cast<double>(groups)).view_as(log_weights);
  terms.encoder = terms.decoder;
  if (options_.gradient == "dreg") {
    terms.encoder = terms.decoder * (1 - kl_weight * power * (1 - normalised)).view_as(log_weights);
  }
  return terms;
}

BoundTerms Bound::at(const Tensor& log_weights, double kl_weight) const {
  const auto of = [&](std::int64_t groups, double power) {
    return part(log_weights, kl_weight, groups, power);
  };
  if (options_.bound == "elbo") return of(samples_, 1);
  if (options_.bound == "miwae") return of(options_.groups, 1);
  if (options_.bound == "renyi") return of(1, 1 - options_.renyi_alpha);
  BoundTerms terms = of(1, 1);
  if (options_.bound == "piwae") terms.encoder = of(options_.groups, 1).encoder;
  if (options_.bound == "ciwae") {
    const BoundTerms elbo = of(samples_, 1);
    const double share = options_.ciwae_weight;
    const bool is_same = terms.encoder.is_same(terms.decoder);
    terms.value = share * elbo.value + (1 - share) * terms.value;
    terms.decoder = share * elbo.decoder + (1 - share) * terms.decoder;
    terms.encoder = is_same ? terms.decoder : share * elbo.encoder + (1 - share) * terms.encoder;
  }
  return terms;
}

Tensor log_weights(const Pass& pass, const Tensor& log_likelihood, double kl_weight) {
  const std::int64_t rows = pass.posterior.size(0);
  const std::int64_t latent = pass.draws.z.size(1);
  const Tensor z = pass.draws.z.view({-1, rows, latent});
  const Tensor noise = pass.draws.noise.view_as(z);
  const Tensor log_variance = pass.posterior.narrow(1, latent, latent);
  // ln p(z) − ln q(z|x), where the constants of both cancel.
  const Tensor log_ratio = 0.5 * (noise * noise + log_variance - z * z).sum(2, false, at::kDouble);
  return log_likelihood.view({-1, rows}) + kl_weight * log_ratio;
}

Tensor posterior_gradient(const Pass& pass, const Tensor& z_gradient, const Tensor& coefficients,
                          bool keeps_score) {
  const std::int64_t latent = pass.draws.z.size(1);
  const Tensor z = pass.draws.z.view({coefficients.size(0), -1, latent});  // [K, B, Z]
  const Tensor noise = pass.draws.noise.view_as(z);
  const Tensor weight = coefficients.to(z.scalar_type()).unsqueeze(2);  // [K, B, 1]
  const Tensor deviation = at::exp(0.5 * pass.posterior.narrow(1, latent, latent));
  Tensor total = z_gradient.view_as(z) - weight * z;           // ∂/∂z of ln p(z) is −z
  if (!keeps_score) total.add_(weight * (noise / deviation));  // and of −ln q at fixed parameters ε/σ
  Tensor by_log_variance = 0.5 * deviation * (total * noise).sum(0);
  if (keeps_score) by_log_variance.add_(0.5 * weight.sum(0));  // along the path −ln q is ½ ln σ² + …
  return at::cat({total.sum(0), by_log_variance}, 1);
}

}  // namespace svi::vae
