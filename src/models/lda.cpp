// Latent Dirichlet allocation, trained by stochastic variational inference: Hoffman, Blei, Bach 2010, "Online
// learning for latent Dirichlet allocation"; Hoffman, Blei, Wang, Paisley 2013, section 3.
//
//   β_k ~ Dirichlet(η),  θ_d ~ Dirichlet(α),  z_dn ~ θ_d,  w_dn ~ β_z
//   q:   β_k ~ Dirichlet(λ_k),  θ_d ~ Dirichlet(γ_d),  z_dn ~ φ_dn
//   ELBO = Σ_d { Σ_n c_dn ln Σ_k exp(E[ln θ_dk] + E[ln β_kn]) − KL(q(θ_d) ‖ p(θ_d)) }
//          − Σ_k KL(q(β_k) ‖ p(β_k))
//   natural gradient at λ:  η + (N/S) Σ_d c_dn φ_dnk − λ
//
// Shapes: K topics, V words, λ [V, K] so that a word's topics lie side by side.

#include "lda.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "lda_evaluation.hpp"
#include "svi/base/error.hpp"
#include "svi/distributions/dirichlet.hpp"
#include "svi/distributions/gamma.hpp"
#include "svi/math/special.hpp"

namespace svi::lda {

void LdaOptions::describe(OptionSet& model, OptionSet&) {
  model.integer("topics", topics, Range::between(1, 100000), "topics", "K, the number of topics");
  const Range prior = Range::between(1e-10, 1e10);  // well inside float32
  model.real("alpha", alpha, prior, "", "α, the Dirichlet prior on a document's topics");
  model.real("eta", eta, prior, "", "η, the Dirichlet prior on a topic's words");
  model.real("tolerance", tolerance, Range::above(0), "tokens",
             "an E-step stops when the mean of |Δγ_k| falls below");
  model.integer("max_iterations", max_iterations, Range::between(1, 100000), "iterations",
                "most of an E-step");
}

std::unique_ptr<Model> LdaOptions::build(const DataShape& shape) const {
  return std::make_unique<Lda>(*this, shape);
}

EStepOptions e_step_options(const LdaOptions& options) {
  return {options.alpha, options.tolerance, options.max_iterations};
}

Lda::Lda(const LdaOptions& options, const DataShape& shape)
    : options_(options), shape_(shape), inference_(shape.width(), options.topics, e_step_options(options)) {}

std::vector<ParameterShape> Lda::parameter_shapes() const {
  return {{"lambda", {vocabulary(), options_.topics}}};
}

// λ_vk ~ Gamma(100, 1/100), as the paper's code starts.
void Lda::initialize(ParameterSet& parameters, const Philox& noise) const {
  const Tensor lambda = at::empty({vocabulary(), options_.topics}, at::kFloat);
  auto* values = lambda.data_ptr<float>();
  for (std::int64_t v = 0; v < vocabulary(); ++v) {
    for (std::int64_t k = 0; k < options_.topics; ++k) {
      values[v * options_.topics + k] =
          static_cast<float>(gamma_draw(100, noise, Purpose::initialization, static_cast<std::uint64_t>(v),
                                        static_cast<std::uint64_t>(k)) /
                             100);
    }
  }
  parameters["lambda"].copy_(lambda);
}

std::vector<double> Lda::totals(const ParameterSet& parameters) const {
  const Tensor totals = parameters["lambda"].sum(0, false, at::kDouble);
  const auto* first = totals.data_ptr<double>();
  return {first, first + options_.topics};
}

void Lda::accumulate(const ParameterSet& parameters, const Minibatch& minibatch, const StepInputs& inputs,
                     Contribution& contribution) {
  const auto& rows = std::get<CountRows>(minibatch.rows);
  auto* statistics = contribution.statistics["lambda"].data_ptr<float>();
  inference_.prepare(parameters["lambda"].data_ptr<float>(), totals(parameters), rows);
  const std::int64_t stride = inference_.beta().stride();
  const std::span<const std::int32_t> words = inference_.words();
  word_sums_.resize(words.size() * static_cast<std::size_t>(stride));
  std::fill_n(word_sums_.data(), std::ssize(words) * stride, 0.0F);

  for (std::int64_t b = 0; b < rows.rows(); ++b) {
    const Document document = inference_.document(rows, b);
    const std::int64_t id = minibatch.ids[static_cast<std::size_t>(b)];
    const Inference::Fit& fit = inference_.fit(document, inference_.start(inputs.noise, minibatch.step, id));
    inference_.add_statistics(document, word_sums_.data(), statistics);
    contribution.terms.scalar("bound") += fit.bound;
    contribution.terms.scalar("iterations") += static_cast<double>(fit.iterations);
  }
  contribution.terms.scalar("rows") += static_cast<double>(rows.rows());

  // Σ_d c φ = β' · Σ_d θ' c / norm
  for (std::size_t r = 0; r < words.size(); ++r) {
    const float* beta = inference_.beta().row(static_cast<std::int64_t>(r));
    const float* sums = word_sums_.data() + static_cast<std::int64_t>(r) * stride;
    float* row = statistics + words[r] * options_.topics;
    for (std::int64_t k = 0; k < options_.topics; ++k) row[k] += beta[k] * sums[k];
  }
}

void Lda::to_direction(const ParameterSet& parameters, Contribution& total) const {
  const double scale = static_cast<double>(shape_.training_rows) / total.terms.scalar("rows");
  Tensor direction = total.statistics["lambda"];
  direction.mul_(scale).add_(options_.eta).sub_(parameters["lambda"]);  // η + (N/S)·stats − λ
}

// ∂ELBO/∂λ_vk = ψ'(λ_vk) d_vk − ψ'(Σ_v λ_vk) Σ_v d_vk for the natural gradient d: the Dirichlet's Fisher
// matrix.
void Lda::apply_metric(const ParameterSet& parameters, ParameterSet& direction) const {
  const Tensor lambda = parameters["lambda"].to(at::kDouble);
  const Tensor natural = direction["lambda"].to(at::kDouble);
  const Tensor of_totals = at::polygamma(1, lambda.sum(0)) * natural.sum(0);
  const Tensor gradient = at::polygamma(1, lambda) * natural - of_totals;
  direction["lambda"].copy_(gradient / static_cast<double>(shape_.training_rows));
}

double Lda::topics_kl(const ParameterSet& parameters) const {
  const Tensor by_topic = parameters["lambda"].t().contiguous();
  double kl = 0;
  for (std::int64_t k = 0; k < options_.topics; ++k) {
    kl +=
        dirichlet_kl({by_topic.data_ptr<float>() + k * vocabulary(), static_cast<std::size_t>(vocabulary())},
                     options_.eta);
  }
  return kl;
}

// Each document's bound is under the λ its step began with; the KL of λ itself is that of the last λ.
Metrics Lda::training_metrics(const ParameterSet& parameters, const Sums& totals) const {
  const double rows = totals.scalar("rows");
  Metrics metrics;
  metrics.values["elbo"] =
      totals.scalar("bound") / rows - topics_kl(parameters) / static_cast<double>(shape_.training_rows);
  metrics.values["e_step_iterations"] = totals.scalar("iterations") / rows;
  return metrics;
}

std::unique_ptr<Evaluation> Lda::evaluation(const ParameterSet& parameters, EvaluationRows rows,
                                            std::uint64_t seed) {
  if (rows == EvaluationRows::training) return std::make_unique<TopicQuality>(*this, parameters);
  return std::make_unique<DocumentCompletion>(*this, parameters, seed);
}

std::int64_t Lda::workspace_bytes(std::int64_t local_rows) const {
  // β' and the sums of at most V distinct words, and as a rule of thumb 100 distinct words a document.
  const std::int64_t distinct = std::min(vocabulary(), 100 * local_rows);
  return 2 * distinct * inference_.beta().stride() * static_cast<std::int64_t>(sizeof(float));
}

Tensor Lda::topics(const ParameterSet& parameters) const {
  const Tensor lambda = parameters["lambda"].to(at::kDouble);
  return (lambda / lambda.sum(0, true)).t().contiguous();
}

Tensor Lda::topic_shares(const ParameterSet& parameters) const {
  const Tensor totals = parameters["lambda"].sum(0, false, at::kDouble);
  return totals / totals.sum();
}

namespace {

const RegisterModel registration{{
    .name = "lda",
    .summary = "latent Dirichlet allocation by online variational Bayes (Hoffman, Blei, Bach 2010)",
    .needs_counts = true,
    .update_rules = {"robbins_monro"},
    .update_rule_reason = "LDA's natural gradient is a difference of Dirichlet parameters, which only steps "
                          "λ ← (1 − ρ)λ + ρλ̂ keep positive",
    .small = {"topics=3", "alpha=1", "tolerance=1e-6",
              "max_iterations=1000"},  // α ≥ 1: one optimum a document
    .options = [] { return std::make_unique<LdaOptions>(); },
}};

}  // namespace
}  // namespace svi::lda
