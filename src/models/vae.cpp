// Variational autoencoder: Kingma and Welling 2014, "Auto-encoding variational Bayes".
//
//   p(z) = N(0, I),  p(x|z) = likelihood(decoder(z)),  q(z|x) = N(μ(x), diag σ²(x)) by the encoder
//   ELBO(x) = E_q[ln p(x|z)] − KL(q(z|x) ‖ p(z))                 "analytic": the KL in closed form (eq. 10)
//           = E_q[ln p(x|z) + ln p(z) − ln q(z|x)]               "sampled": all by the sample (eq. 6)
//   z = μ + σ·ε, ε ~ N(0, I), so that gradients pass through the sample (section 2.4)
//
// Shapes: B rows, L samples, D features, Z latent. Sample l of row b is row l·B + b of the decoder's batch.

#include <ATen/ATen.h>

#include <cstring>
#include <utility>

#include "mlp.hpp"
#include "svi/base/error.hpp"
#include "svi/distributions/diagonal_gaussian.hpp"
#include "svi/distributions/likelihood.hpp"
#include "svi/models/registry.hpp"
#include "vae_features.hpp"

namespace svi {

namespace {

struct VaeOptions : ModelOptions {
  std::int64_t latent = 20;
  std::vector<std::int64_t> encoder = {400};
  std::vector<std::int64_t> decoder = {400};
  std::string activation = "relu";
  std::string binarisation = "none";
  LikelihoodOptions likelihood;
  std::int64_t samples = 1;
  double kl_weight = 1.0;
  std::string elbo = "analytic";

  void describe(OptionSet& model, OptionSet& objective) override {
    const Range width = Range::between(1, 1 << 20);
    model.integer("latent", latent, width, "dimensions", "Z, the width of z");
    model.integers("encoder", encoder, width, "units", "hidden layers from x to q(z|x); [] for none");
    model.integers("decoder", decoder, width, "units", "hidden layers from z to p(x|z); [] for none");
    model.choice("activation", activation, {"relu", "tanh"}, "after each hidden layer");
    model.choice("binarisation", binarisation, {"none", "dynamic"},
                 "none: grey values as probabilities; dynamic: each pixel drawn anew at every step");
    likelihood.describe(model);
    objective.integer("samples", samples, Range::between(1, 10000), "samples", "L, draws of z for each row");
    objective.real("kl.weight", kl_weight, Range::at_least(0), "", "β: what the KL counts in training");
    objective.choice("elbo", elbo, {"analytic", "sampled"}, "the KL in closed form, or by the samples of z");
  }

  std::unique_ptr<Model> build(const DataShape& shape) const override;
};

class Vae : public Model, public ImageGenerator {
 public:
  Vae(VaeOptions options, const DataShape& shape);

  std::vector<ParameterShape> parameter_shapes() const override;
  void initialize(ParameterSet& parameters, const Philox& noise) const override;
  SumLayout terms() const override { return {{"reconstruction", 1}, {"kl", 1}}; }
  void accumulate(const ParameterSet& parameters, const Minibatch& minibatch, const StepInputs& inputs,
                  Contribution& contribution) override;
  void to_direction(const ParameterSet& parameters, Contribution& total) const override;
  Metrics training_metrics(const ParameterSet& parameters, const Sums& totals) const override;
  std::unique_ptr<Evaluation> evaluation(const ParameterSet& parameters, EvaluationRows rows,
                                         std::uint64_t seed) override;
  std::string selection_metric() const override { return "elbo"; }
  void require_fit(const Rows& rows) const override;
  std::int64_t workspace_bytes(std::int64_t local_rows) const override;

  Tensor sample(const ParameterSet& parameters, std::int64_t count, const Philox& noise) override;
  Tensor reconstruct(const ParameterSet& parameters, const Minibatch& rows) override;

 private:
  friend class VaeEvaluation;

  /// z [L·B, Z] of the posteriors [B, 2Z], and the noise it came from.
  struct Draws {
    Tensor noise;
    Tensor z;
  };
  Draws draw(const Tensor& posterior, const Minibatch& minibatch, const Philox& noise) const;
  Tensor features(const Minibatch& minibatch, const Philox& noise, at::ScalarType type) const;
  /// Σ KL by dimension [Z], in the form that is trained.
  void add_kl(const Tensor& posterior, const Draws& draws, std::span<double> per_dimension) const;
  void add_posterior_gradient(const Tensor& posterior, const Draws& draws, const Tensor& z_gradient,
                              Tensor& gradient) const;

  VaeOptions options_;
  DataShape shape_;
  Mlp encoder_;
  Mlp decoder_;
  std::unique_ptr<Likelihood> likelihood_;
};

std::vector<std::int64_t> widths(std::int64_t first, const std::vector<std::int64_t>& hidden,
                                 std::int64_t last) {
  std::vector<std::int64_t> all{first};
  all.insert(all.end(), hidden.begin(), hidden.end());
  all.push_back(last);
  return all;
}

Activation activation_of(const std::string& name) {
  return name == "relu" ? Activation::relu : Activation::tanh;
}

Vae::Vae(VaeOptions options, const DataShape& shape)
    : options_(std::move(options)),
      shape_(shape),
      encoder_("encoder", widths(shape.width(), options_.encoder, 2 * options_.latent),
               activation_of(options_.activation)),
      decoder_("decoder", widths(options_.latent, options_.decoder, shape.width()),
               activation_of(options_.activation)),
      likelihood_(make_likelihood(options_.likelihood)) {}

std::vector<ParameterShape> Vae::parameter_shapes() const {
  std::vector<ParameterShape> shapes = encoder_.parameter_shapes();
  for (ParameterShape& shape : decoder_.parameter_shapes()) shapes.push_back(std::move(shape));
  return shapes;
}

void Vae::initialize(ParameterSet& parameters, const Philox& noise) const {
  encoder_.initialize(parameters, 0, noise);
  decoder_.initialize(parameters, encoder_.parameter_shapes().size(), noise);
}

Tensor Vae::features(const Minibatch& minibatch, const Philox& noise, at::ScalarType type) const {
  const Tensor grey = scaled_features(std::get<DenseRows>(minibatch.rows).features, type);
  if (options_.binarisation == "none") return grey;
  return binarised(grey, minibatch.ids, minibatch.step, noise);
}

Vae::Draws Vae::draw(const Tensor& posterior, const Minibatch& minibatch, const Philox& noise) const {
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

void Vae::add_kl(const Tensor& posterior, const Draws& draws, std::span<double> per_dimension) const {
  if (options_.elbo == "analytic") return diagonal_gaussian::add_kl(posterior, per_dimension);
  const std::int64_t rows = posterior.size(0);
  for (std::int64_t l = 0; l < options_.samples; ++l) {
    diagonal_gaussian::add_sampled_kl(posterior, draws.noise.narrow(0, l * rows, rows),
                                      draws.z.narrow(0, l * rows, rows),
                                      1.0 / static_cast<double>(options_.samples), per_dimension);
  }
}

void Vae::add_posterior_gradient(const Tensor& posterior, const Draws& draws, const Tensor& z_gradient,
                                 Tensor& gradient) const {
  const std::int64_t rows = posterior.size(0);
  const double kl_weight = options_.kl_weight * (1.0 / static_cast<double>(options_.samples));
  for (std::int64_t l = 0; l < options_.samples; ++l) {
    const Tensor noise = draws.noise.narrow(0, l * rows, rows);
    const Tensor by_z = z_gradient.narrow(0, l * rows, rows);  // ∂ Σ ln p(x|z) of this sample
    if (options_.elbo == "analytic") {
      diagonal_gaussian::add_gradient_analytic(posterior, noise, by_z, kl_weight, gradient);
    } else {
      diagonal_gaussian::add_gradient_sampled(posterior, noise, draws.z.narrow(0, l * rows, rows), by_z,
                                              kl_weight, gradient);
    }
  }
}

void Vae::accumulate(const ParameterSet& parameters, const Minibatch& minibatch, const StepInputs& inputs,
                     Contribution& contribution) {
  ParameterSet& gradients = contribution.statistics;
  const std::int64_t decoder_first = gradients["decoder.0/weight"].storage_offset();
  if (minibatch.size() == 0) {  // nothing to add, but every rank announces the same ranges
    contribution.mark_ready(decoder_first, gradients.flat().numel());
    contribution.mark_ready(0, decoder_first);
    return;
  }
  const Tensor x = features(minibatch, inputs.noise, parameters.flat().scalar_type());
  const Tensor& posterior = encoder_.forward(parameters, x);
  const Draws draws = draw(posterior, minibatch, inputs.noise);
  Tensor& output = decoder_.forward(parameters, draws.z);

  const Tensor targets = options_.samples == 1 ? x : x.repeat({options_.samples, 1});
  contribution.terms.scalar("reconstruction") +=
      likelihood_->log_likelihood_and_gradient(targets, output, 1.0 / static_cast<double>(options_.samples));
  std::vector<double> kl(static_cast<std::size_t>(options_.latent), 0.0);
  add_kl(posterior, draws, kl);
  for (const double value : kl) contribution.terms.scalar("kl") += value;
  contribution.terms.scalar("rows") += static_cast<double>(minibatch.size());

  const Tensor z_gradient = decoder_.backward(parameters, output, gradients, true);
  contribution.mark_ready(decoder_first, gradients.flat().numel());
  Tensor posterior_gradient = at::zeros_like(posterior);
  add_posterior_gradient(posterior, draws, z_gradient, posterior_gradient);
  encoder_.backward(parameters, posterior_gradient, gradients, false);
  contribution.mark_ready(0, decoder_first);
}

void Vae::to_direction(const ParameterSet&, Contribution& total) const {
  total.statistics.flat().mul_(1.0 / total.terms.scalar("rows"));  // ∇ of the mean ELBO
}

Metrics elbo_metrics(const Sums& totals, double kl, double kl_weight) {
  const double rows = totals.scalar("rows");
  const double reconstruction = totals.scalar("reconstruction") / rows;
  Metrics metrics;
  metrics.values = {
      {"elbo", reconstruction - kl / rows}, {"reconstruction", reconstruction}, {"kl", kl / rows}};
  if (kl_weight != 1) metrics.values["objective"] = reconstruction - kl_weight * kl / rows;
  return metrics;
}

Metrics Vae::training_metrics(const ParameterSet&, const Sums& totals) const {
  return elbo_metrics(totals, totals.scalar("kl"), options_.kl_weight);
}

/// The ELBO's parts, the KL by dimension, and the variance of E[z|x] over the data (Burda, Grosse and
/// Salakhutdinov 2016: a unit is active when that exceeds 0.01).
class VaeEvaluation : public Evaluation {
 public:
  VaeEvaluation(Vae& vae, const ParameterSet& parameters, std::uint64_t seed)
      : vae_(vae), parameters_(parameters), noise_(seed) {}

  SumLayout layout() const override {
    const std::int64_t latent = vae_.options_.latent;
    return {{"rows", 1}, {"reconstruction", 1}, {"kl", latent}, {"mean", latent}, {"squared_mean", latent}};
  }

  void add(const Minibatch& rows, Sums& sums) override {
    if (rows.size() == 0) return;
    const Tensor x = vae_.features(rows, noise_, parameters_.flat().scalar_type());
    const Tensor& posterior = vae_.encoder_.forward(parameters_, x);
    const Vae::Draws draws = vae_.draw(posterior, rows, noise_);
    const Tensor& output = vae_.decoder_.forward(parameters_, draws.z);
    const std::int64_t samples = vae_.options_.samples;
    const Tensor targets = samples == 1 ? x : x.repeat({samples, 1});
    sums.scalar("rows") += static_cast<double>(rows.size());
    sums.scalar("reconstruction") +=
        vae_.likelihood_->log_likelihood(targets, output).sum().item<double>() / static_cast<double>(samples);
    vae_.add_kl(posterior, draws, sums["kl"]);
    const Tensor mean = posterior.narrow(1, 0, vae_.options_.latent).to(at::kDouble);
    add(mean.sum(0), sums["mean"]);
    add((mean * mean).sum(0), sums["squared_mean"]);
  }

  Metrics finish(const Sums& totals) const override {
    const double rows = totals.scalar("rows");
    double kl = 0;
    for (const double value : totals["kl"]) kl += value;
    Metrics metrics = elbo_metrics(totals, kl, vae_.options_.kl_weight);
    double active = 0;
    for (std::size_t j = 0; j < totals["kl"].size(); ++j) {
      const double mean = totals["mean"][j] / rows;
      if (totals["squared_mean"][j] / rows - mean * mean > 0.01) active += 1;
      metrics.vectors["kl_per_dimension"].push_back(totals["kl"][j] / rows);
    }
    metrics.values["active_units"] = active;
    return metrics;
  }

 private:
  static void add(const Tensor& values, std::span<double> sums) {
    const Tensor host = values.to(at::kCPU).contiguous();
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += host.data_ptr<double>()[j];
  }

  Vae& vae_;
  const ParameterSet& parameters_;
  Philox noise_;
};

std::unique_ptr<Evaluation> Vae::evaluation(const ParameterSet& parameters, EvaluationRows rows,
                                            std::uint64_t seed) {
  if (rows == EvaluationRows::training) return nullptr;
  return std::make_unique<VaeEvaluation>(*this, parameters, seed);
}

void Vae::require_fit(const Rows& rows) const {
  const auto& dense = std::get<DenseRows>(rows);
  if (dense.rows() == 0 || dense.features.scalar_type() == at::kByte) return;  // bytes are scaled to [0, 1]
  likelihood_->require_fit(dense.features);
}

std::int64_t Vae::workspace_bytes(std::int64_t local_rows) const {
  // Of each row: x, drawn from grey values and uniform numbers if at all; the posterior and its gradient;
  // hidden layers and theirs.
  std::int64_t units = (options_.binarisation == "none" ? 1 : 3) * shape_.width() + 4 * options_.latent;
  for (const std::int64_t width : options_.encoder) units += 2 * width;
  // Of each sample: ε, z and its gradient, hidden layers, the output, and x again where there are several.
  std::int64_t sample_units = 3 * options_.latent + (options_.samples == 1 ? 1 : 2) * shape_.width();
  for (const std::int64_t width : options_.decoder) sample_units += 2 * width;
  units += options_.samples * sample_units;
  return units * local_rows * static_cast<std::int64_t>(sizeof(float));
}

Tensor Vae::sample(const ParameterSet& parameters, std::int64_t count, const Philox& noise) {
  std::vector<std::int64_t> draws(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) draws[static_cast<std::size_t>(i)] = i;
  const Tensor z =
      standard_normal(draws, 0, options_.latent, Purpose::generation, noise, parameters.flat().scalar_type());
  return likelihood_->mean(decoder_.forward(parameters, z.to(parameters.flat().device())));
}

Tensor Vae::reconstruct(const ParameterSet& parameters, const Minibatch& rows) {
  const Tensor x = features(rows, Philox(0), parameters.flat().scalar_type());
  const Tensor mean = encoder_.forward(parameters, x).narrow(1, 0, options_.latent).contiguous();
  return likelihood_->mean(decoder_.forward(parameters, mean));
}

std::unique_ptr<Model> VaeOptions::build(const DataShape& shape) const {
  if (binarisation == "dynamic" && likelihood.likelihood != "bernoulli") {
    throw Error(
        ExitCode::bad_config,
        "model.binarisation: dynamic makes pixels 0 or 1, which needs model.likelihood: bernoulli, not {}",
        likelihood.likelihood);
  }
  return std::make_unique<Vae>(*this, shape);
}

const RegisterModel registration{{
    .name = "vae",
    .summary = "variational autoencoder with fully connected networks (Kingma and Welling 2014)",
    .needs_counts = false,
    .update_rules = {"adam", "sgd"},
    .update_rule_reason =
        "a VAE's gradients are Euclidean, and Robbins-Monro steps are for natural gradients",
    .small = {"latent=2", "encoder=[5]", "decoder=[4]", "activation=tanh"},
    .options = [] { return std::make_unique<VaeOptions>(); },
}};

}  // namespace
}  // namespace svi
