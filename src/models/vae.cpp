// Variational autoencoder: Kingma and Welling 2014, "Auto-encoding variational Bayes".
//
//   p(z) = N(0, I),  p(x|z) = likelihood(decoder(z)),  q(z|x) = N(μ(x), diag σ²(x)) by the encoder
//   ELBO(x) = E_q[ln p(x|z)] − KL(q(z|x) ‖ p(z))                 "analytic": the KL in closed form (eq. 10)
//           = E_q[ln p(x|z) + ln p(z) − ln q(z|x)]               "sampled": all by the sample (eq. 6)
//   z = μ + σ·ε, ε ~ N(0, I), so that gradients pass through the sample (section 2.4)
//
// Shapes: B rows, L samples, D features, Z latent. Sample l of row b is row l·B + b of the decoder's batch.

#include "vae.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "svi/base/error.hpp"
#include "svi/distributions/diagonal_gaussian.hpp"
#include "vae_features.hpp"

namespace svi::vae {

void VaeOptions::describe(OptionSet& model, OptionSet& objective) {
  const Range width = Range::between(1, 1 << 20);
  model.integer("latent", latent, width, "dimensions", "Z, the width of z");
  model.integers("encoder", encoder, width, "units", "hidden layers from x to q(z|x); [] for none");
  model.integers("decoder", decoder, width, "units", "hidden layers from z to p(x|z); [] for none");
  network.describe(model);
  model.choice("binarisation", binarisation, {"none", "dynamic"},
               "none: grey values as probabilities; dynamic: each pixel drawn anew at every step");
  model.choice("output_bias", output_bias, {"drawn", "data"},
               "the decoder's last bias at the start: like the others, or the log-odds of each feature's mean "
               "over at most 10,000 training rows (of bernoulli likelihoods with network: mlp)");
  likelihood.describe(model);
  objective.integer("samples", samples, Range::between(1, 10000), "samples", "L, draws of z for each row");
  objective.choice("elbo", elbo, {"analytic", "sampled"}, "the KL in closed form, or by the samples of z");
  bound.describe(objective);
  kl.describe(objective);
}

bool VaeOptions::takes_counts() const {
  return make_likelihood(likelihood)->feature_kind() == FeatureKind::counts;
}

std::unique_ptr<Model> VaeOptions::build(const DataShape& shape) const {
  require_binarisation(binarisation, likelihood);
  if (output_bias == "data" && (likelihood.likelihood != "bernoulli" || network.network != "mlp")) {
    throw Error(ExitCode::bad_config,
                "model.output_bias is data, which takes model.likelihood: bernoulli and model.network: mlp, "
                "but these are {} and {}; leave it out",
                likelihood.likelihood, network.network);
  }
  return std::make_unique<Vae>(*this, shape);
}

Vae::Vae(VaeOptions options, const DataShape& shape)
    : options_(std::move(options)),
      shape_(shape),
      kl_(options_.kl, options_.latent, shape),
      monitor_(options_.latent, shape.steps_per_epoch, kl_.full_from()),
      bound_(options_.bound, options_.samples, options_.elbo == "analytic", kl_.uses_means()),
      likelihood_(make_likelihood(options_.likelihood)),
      encoder_(make_encoder(options_.network, shape.feature_shape, options_.encoder, 2 * options_.latent)),
      decoder_(make_decoder(options_.network, options_.latent, options_.decoder, shape.feature_shape,
                            {likelihood_->width(1), likelihood_->is_laid_out_by_feature()})) {}

std::vector<ParameterShape> Vae::parameter_shapes() const {
  std::vector<ParameterShape> shapes = encoder_->parameter_shapes();
  for (ParameterShape& shape : decoder_->parameter_shapes()) shapes.push_back(std::move(shape));
  for (ParameterShape& shape : likelihood_->parameter_shapes(shape_.width()))
    shapes.push_back(std::move(shape));
  return shapes;
}

void Vae::initialize(ParameterSet& parameters, const Philox& noise) const {
  encoder_->initialize(parameters, 0, noise);
  decoder_->initialize(parameters, encoder_->parameter_shapes().size(), noise);
  for (const ParameterShape& shape : likelihood_->parameter_shapes(shape_.width()))
    parameters[shape.name].zero_();
}

// ln(m/(1 − m)) of each feature's mean m, held within [0.001, 0.999] as Burda et al. do.
void Vae::start_at(const Tensor& means, ParameterSet& parameters) const {
  const Tensor& bias = parameters[fmt::format("decoder.{}/bias", options_.decoder.size())];
  bias.copy_(at::logit(means.clamp(0.001, 0.999)));
}

Tensor Vae::features(const Minibatch& minibatch, const Philox& noise, at::ScalarType type) const {
  if (const auto* counts = std::get_if<CountRows>(&minibatch.rows))
    return densified(*counts, shape_.width(), type);
  const Tensor x = as_numbers(std::get<DenseRows>(minibatch.rows), likelihood_->feature_kind(), type);
  return options_.binarisation == "none" ? x : binarised(x, minibatch.ids, minibatch.step, noise);
}

Draws Vae::draw(const Tensor& posterior, const Minibatch& minibatch, const Philox& noise) const {
  const std::int64_t samples = options_.samples;
  const std::int64_t rows = minibatch.size();
  Draws draws;
  draws.noise =
      latent_noise(minibatch.ids, minibatch.step, samples, options_.latent, noise, posterior.scalar_type());
  draws.noise = draws.noise.to(posterior.device());
  draws.z = at::empty_like(draws.noise);
  for (std::int64_t l = 0; l < samples; ++l) {
    Tensor z = draws.z.narrow(0, l * rows, rows);
    diagonal_gaussian::reparameterise(posterior, draws.noise.narrow(0, l * rows, rows), z);
  }
  return draws;
}

Pass Vae::forward(const ParameterSet& parameters, const Minibatch& minibatch, const Philox& noise,
                  PassMode mode) {
  constexpr std::int64_t first_of_decoder = 1 << 12;  // beyond the encoder's layers
  const TrainingRows of_encoder{noise, minibatch.step, minibatch.ids, 0};
  const TrainingRows of_decoder{noise, minibatch.step, minibatch.ids, first_of_decoder};
  const bool trains = mode == PassMode::training;
  Pass pass;
  pass.x = features(minibatch, noise, parameters.flat().scalar_type());
  pass.targets = once_for_each_draw(pass.x);
  pass.posterior =
      encoder_->forward(parameters, likelihood_->encoder_input(pass.x), trains ? &of_encoder : nullptr);
  pass.draws = draw(pass.posterior, minibatch, noise);
  pass.output = decoder_->forward(parameters, pass.draws.z, trains ? &of_decoder : nullptr);
  return pass;
}

Tensor Vae::once_for_each_draw(const Tensor& x) {
  if (options_.samples == 1) return x;
  const std::int64_t rows = options_.samples * x.size(0);
  const bool fits = targets_.defined() && targets_.size(0) >= rows && targets_.dtype() == x.dtype();
  if (!fits) targets_ = at::empty({rows, x.size(1)}, x.options());
  Tensor targets = targets_.narrow(0, 0, rows);
  targets.view({options_.samples, x.size(0), x.size(1)}).copy_(x.unsqueeze(0));
  return targets;
}

void Vae::add_kl(const Pass& pass, std::span<double> per_dimension) const {
  if (options_.elbo == "analytic") return diagonal_gaussian::add_kl(pass.posterior, per_dimension);
  const std::int64_t rows = pass.posterior.size(0);
  for (std::int64_t l = 0; l < options_.samples; ++l) {
    diagonal_gaussian::add_sampled_kl(pass.posterior, pass.draws.noise.narrow(0, l * rows, rows),
                                      pass.draws.z.narrow(0, l * rows, rows),
                                      1.0 / static_cast<double>(options_.samples), per_dimension);
  }
}

SumLayout Vae::terms() const {
  SumLayout layout{{"reconstruction", 1}, {"kl", options_.latent}};
  if (!trains_elbo()) layout.emplace_back("objective", 1);
  if (kl_.varies()) layout.emplace_back("kl_weight", 1);
  return layout;
}

void Vae::to_direction(const ParameterSet&, Contribution& total) const {
  total.factor = 1.0 / total.terms.scalar("rows");  // ∇ of the mean ELBO
}

Metrics Vae::elbo_metrics(const Sums& totals) const {
  const double rows = totals.scalar("rows");
  const double reconstruction = totals.scalar("reconstruction") / rows;
  const std::span<const double> by_dimension = totals["kl"];
  const double kl = std::accumulate(by_dimension.begin(), by_dimension.end(), 0.0) / rows;
  Metrics metrics;
  metrics.values = {{"elbo", reconstruction - kl}, {"reconstruction", reconstruction}, {"kl", kl}};
  for (const char* name : {"objective", "kl_weight"}) {
    if (totals.contains(name)) metrics.values[name] = totals.scalar(name) / rows;
  }
  return metrics;
}

Metrics Vae::training_metrics(const ParameterSet&, const Sums& totals) const { return elbo_metrics(totals); }

std::vector<std::string> Vae::warnings() const {
  std::vector<std::string> list;
  if (options_.latent >= shape_.width()) {
    list.push_back(
        fmt::format("model.latent is {}, but a row has no more than {} features: z can hold a copy of x, and "
                    "nothing is compressed; make it smaller",
                    options_.latent, shape_.width()));
  }
  if (!bound_.is_elbo() && options_.samples == 1) {
    list.push_back(
        fmt::format("objective.bound is {}, which by one draw (objective.samples: 1) is the elbo; raise "
                    "objective.samples, or choose objective.bound: elbo",
                    options_.bound.bound));
  }
  return list;
}

std::optional<Notice> Vae::watch(std::int64_t step, const Sums& totals,
                                 std::map<std::string, std::vector<double>>& watched) const {
  const Collapse collapsed = monitor_.watch(step, totals["kl"], totals.scalar("rows"), watched);
  if (collapsed.dimensions.empty()) return std::nullopt;
  return collapse_notice(options_, collapsed, step, monitor_.window());
}

std::unique_ptr<Evaluation> Vae::evaluation(const ParameterSet& parameters, EvaluationRows rows,
                                            std::uint64_t seed) {
  return rows == EvaluationRows::training ? nullptr : evaluation_of(*this, parameters, seed);
}

void Vae::require_fit(const Minibatch& minibatch) const {
  const auto* dense = std::get_if<DenseRows>(&minibatch.rows);
  if (dense == nullptr || dense->rows() == 0) return;  // counts were checked as they were read
  const bool is_scaled = likelihood_->feature_kind() == FeatureKind::real;
  if (is_scaled && dense->features.scalar_type() == at::kByte) return;
  likelihood_->require_fit(dense->features, minibatch.ids);
}

std::int64_t Vae::workspace_bytes(std::int64_t local_rows) const {
  // Of each row: x, drawn from grey values and uniform numbers if at all; the posterior and its gradient;
  // hidden layers and theirs.
  std::int64_t units = (options_.binarisation == "none" ? 1 : 3) * shape_.width() + 4 * options_.latent;
  const bool is_seen_otherwise = likelihood_->feature_kind() != FeatureKind::real;  // by the encoder
  if (is_seen_otherwise) units += shape_.width();
  units += encoder_->units_per_row();
  // Of each sample: ε, z and its gradient, hidden layers, the output, and x again where there are several.
  std::int64_t sample_units = 3 * options_.latent + likelihood_->width(shape_.width());
  if (options_.samples > 1) sample_units += shape_.width();
  if (!bound_.is_plain_elbo()) sample_units += 2 * shape_.width() + 4 * options_.latent;  // each draw's ln w
  sample_units += decoder_->units_per_row();
  units += options_.samples * sample_units;
  return units * local_rows * static_cast<std::int64_t>(sizeof(float));
}

namespace {

const RegisterModel registration{{
    .name = "vae",
    .summary =
        "variational autoencoder with fully connected or convolutional networks (Kingma and Welling 2014)",
    .needs_counts = false,
    .update_rules = {"adam", "sgd"},
    .update_rule_reason =
        "a VAE's gradients are Euclidean, and Robbins-Monro steps are for natural gradients",
    .small = {"latent=2", "encoder=[5]", "decoder=[4]", "activation=tanh"},
    .options = [] { return std::make_unique<VaeOptions>(); },
}};

}  // namespace
}  // namespace svi::vae
