// Latent Dirichlet allocation, trained by stochastic variational inference: Hoffman, Blei, Bach 2010, "Online
// learning for latent Dirichlet allocation"; Hoffman, Blei, Wang, Paisley 2013, section 3.
//
//   β_k ~ Dirichlet(η),  θ_d ~ Dirichlet(α),  z_dn ~ θ_d,  w_dn ~ β_z
//   q:   β_k ~ Dirichlet(λ_k),  θ_d ~ Dirichlet(γ_d),  z_dn ~ φ_dn
//   ELBO = Σ_d { Σ_n c_dn ln Σ_k exp(E[ln θ_dk] + E[ln β_kn]) − KL(q(θ_d) ‖ p(θ_d)) }
//          − Σ_k KL(q(β_k) ‖ p(β_k))
//   natural gradient at λ:  η + (N/S) Σ_d c_dn φ_dnk − λ
//
// With `inference: scvb0` by stochastic collapsed variational Bayes (Foulds, Boyles, DuBois, Smyth, Welling
// 2013): θ and β are integrated out, λ is η plus the expected counts, E[β] takes the place of exp(E[ln β]),
// and φ is that of lda_collapsed.hpp. The steps of λ are the same.
//
// Shapes: K topics, V words, λ [V, K] so that a word's topics lie side by side.

#include "lda.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <algorithm>
#include <cmath>
#include <ranges>

#include "lda_alpha.hpp"
#include "lda_evaluation.hpp"
#include "svi/base/error.hpp"
#include "svi/core/parallel.hpp"
#include "svi/distributions/dirichlet.hpp"
#include "svi/distributions/gamma.hpp"
#include "svi/math/special.hpp"

namespace svi::lda {

void LdaOptions::describe(OptionSet& model, OptionSet&) {
  model.integer("topics", topics, Range::between(1, 100000), "topics", "K, the number of topics");
  model.choice("inference", inference, {"variational", "scvb0"},
               "variational Bayes, or collapsed variational Bayes of order zero: better topics, no ELBO");
  const Range prior = Range::between(1e-10, 1e10);  // well inside float32
  model.reals_or_choice(
      "alpha", alpha, prior, {"learned", "learned_symmetric"},
      "α, the Dirichlet prior on a document's topics: one number, or a list of one for each "
      "topic; learned: one for each topic, from 0.1 on");
  model.real_or_choice("eta", eta, prior, {"learned", "holdout"},
                       "η, the Dirichlet prior on a topic's words; learned: by the bound, from 0.01 on; "
                       "holdout: by the validation rows at each evaluation, from 0.3 on");
  model.text(
      "prior_file", prior_path,
      "a file of lines word, tab, weight (or word, tab, topic from 0 on, tab, weight: seed words), whose "
      "weights are added to η; empty: none");
  model.real("tolerance", tolerance, Range::above(0), "tokens",
             "an E-step stops when the mean of |Δγ_k| falls below");
  model.integer("max_iterations", max_iterations, Range::between(1, 100000), "iterations",
                "most of an E-step");
  model.flag("active_topics", active_topics,
             "an E-step goes on with the topics that its document uses; all are judged at its end");
}

std::optional<PriorFile> LdaOptions::prior_file() const {
  if (prior_path.empty()) return std::nullopt;
  return PriorFile{prior_path, topics};
}

std::unique_ptr<Model> LdaOptions::build(const DataShape& shape) const {
  if (!alpha.list.empty() && std::ssize(alpha.list) != topics) {
    throw Error(ExitCode::bad_config,
                "model.alpha is a list of {} numbers; expected {}, one for each topic (model.topics), or a "
                "single number",
                alpha.list.size(), topics);
  }
  if (inference == "scvb0" && eta.word == "learned") {
    throw Error(
        ExitCode::bad_config,
        "model.eta is learned and model.inference scvb0; η is learned by the variational bound: use a "
        "number, or holdout");
  }
  return std::make_unique<Lda>(*this, shape);
}

Lda::Lda(const LdaOptions& options, const DataShape& shape)
    : options_(options), shape_(shape), word_priors_(shape.word_priors, shape.width(), options.topics) {}

std::vector<ParameterShape> Lda::parameter_shapes() const {
  std::vector<ParameterShape> shapes{
      {.name = "lambda", .shape = {vocabulary(), options_.topics}, .is_lazy = true}};
  if (learns_alpha()) {
    shapes.push_back({.name = "alpha", .shape = {options_.topics}});
    shapes.push_back({.name = "mean_log_theta", .shape = {options_.topics}});  // E[ln θ_k] over documents
  }
  if (chooses_eta()) shapes.push_back({.name = "eta", .shape = {1}});
  return shapes;
}

SumLayout Lda::terms() const {
  SumLayout layout{{"bound", 1}, {"iterations", 1}, {"tokens", 1}};
  if (learns_alpha()) layout.insert(layout.end(), {{"documents", 1}, {"log_theta", options_.topics}});
  return layout;
}

EStepOptions Lda::e_step_options(const ParameterSet& parameters) const {
  EStepOptions options{.alpha = options_.alpha.number,
                       .alphas = options_.alpha.list,
                       .tolerance = options_.tolerance,
                       .max_iterations = options_.max_iterations,
                       .active_topics = options_.active_topics,
                       .estimator = is_collapsed() ? Estimator::collapsed : Estimator::variational};
  if (!learns_alpha()) return options;
  const Tensor alpha = parameters["alpha"].to(at::kDouble);
  options.alphas.assign(alpha.const_data_ptr<double>(), alpha.const_data_ptr<double>() + options_.topics);
  return options;
}

double Lda::eta(const ParameterSet& parameters) const {
  return chooses_eta() ? parameters["eta"].item<double>() : options_.eta.number;
}

// λ_vk ~ Gamma(100, 1/100), as the paper's code starts; with the priors of words of their own.
void Lda::initialize(ParameterSet& parameters, const Philox& noise) const {
  const Tensor& data = parameters["lambda"];
  LazyScale& lazy = parameters.lazy("lambda");
  // A search from 0.01 ended .09 nats a word lower on package descriptions, .01 higher on linux-doc.
  constexpr double first_of_search = 0.3;
  if (chooses_eta())
    parameters["eta"].fill_(options_.eta.word == "holdout" ? first_of_search : options_.eta.number);
  lazy.offset = eta(parameters);  // which it remains while η does: λ = η + scale · data
  AT_DISPATCH_FLOATING_TYPES(data.scalar_type(), "lambda", [&] {
    auto* values = data.mutable_data_ptr<scalar_t>();
    parallel_parts(vocabulary(), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t v = first; v < last; ++v) {
        for (std::int64_t k = 0; k < options_.topics; ++k) {
          const double lambda = gamma_draw(100, noise, Purpose::initialization, static_cast<std::uint64_t>(v),
                                           static_cast<std::uint64_t>(k)) /
                                100;
          values[v * options_.topics + k] = static_cast<scalar_t>(lambda - lazy.offset);
        }
      }
    });
    word_priors_.add_to_matrix(values);
  });
  sum_rows(data, lazy);
  if (!learns_alpha()) return;
  const double alpha = options_.alpha.number;
  parameters["alpha"].fill_(alpha);
  parameters["mean_log_theta"].fill_(math::digamma(alpha) -
                                     math::digamma(alpha * static_cast<double>(options_.topics)));
}

void Lda::accumulate(const ParameterSet& parameters, const Minibatch& minibatch, const StepInputs& /*inputs*/,
                     Contribution& contribution) {
  contribution.statistics.flat().zero_();  // what is learned besides λ follows from the terms
  const Topics topics(parameters);
  const auto accumulate_in = [&](auto& statistics) {
    if (!statistics) statistics.emplace(vocabulary());
    statistics->accumulate(topics, e_step_options(parameters), minibatch, contribution);
  };
  if (topics.is_double()) {
    accumulate_in(double_);
  } else {
    accumulate_in(single_);
  }
}

// λ̂ = η (of words with priors of their own: η + E) + (N/S)·stats; and the documents' mean of E[ln θ] less the
// mean so far.
void Lda::to_direction(const ParameterSet& parameters, Contribution& total) const {
  total.rows.factor = static_cast<double>(shape_.training_rows) / total.terms.scalar("rows");
  total.rows.offset = eta(parameters);
  AT_DISPATCH_FLOATING_TYPES(total.rows.values.scalar_type(), "prior", [&] {
    word_priors_.add_to_rows<scalar_t>(total.rows);
  });
  const double documents = learns_alpha() ? total.terms.scalar("documents") : 0;
  if (documents > 0) {
    const Tensor sums = at::empty({options_.topics}, at::kDouble);
    std::ranges::copy(total.terms["log_theta"], sums.mutable_data_ptr<double>());
    total.statistics["mean_log_theta"].copy_(sums / documents - parameters["mean_log_theta"]);
  }
}

void Lda::derive(ParameterSet& parameters, std::int64_t step) const {
  constexpr std::int64_t eta_every = 64;  // since it takes a pass over all of λ
  if (learns_alpha()) derive_alpha(parameters);
  if (options_.eta.word != "learned" || step % eta_every != 0) return;
  parameters["eta"].fill_(
      fit_eta(log_beta_total(Topics(parameters)), vocabulary(), word_priors_, eta(parameters)));
}

// α follows from the mean of E[ln θ]: that of the past documents with the weights of the step sizes.
void Lda::derive_alpha(ParameterSet& parameters) const {
  const Tensor mean = parameters["mean_log_theta"].to(at::kDouble);
  const Tensor alpha = parameters["alpha"].to(at::kDouble);
  const auto topics = static_cast<std::size_t>(options_.topics);
  if (options_.alpha.word == "learned") {
    fit_alpha({mean.const_data_ptr<double>(), topics}, {alpha.mutable_data_ptr<double>(), topics});
    parameters["alpha"].copy_(alpha);
  } else {
    parameters["alpha"].fill_(
        fit_symmetric_alpha(mean.sum().item<double>(), static_cast<double>(topics), alpha[0].item<double>()));
  }
}

std::string Lda::tuned_setting() const { return options_.eta.word == "holdout" ? "model.eta: holdout" : ""; }

// λ = η + scale · data: another η moves all of λ by the same and leaves the data as they are.
void Lda::set_eta(ParameterSet& parameters, double eta) const {
  parameters["eta"].fill_(eta);
  parameters.lazy("lambda").offset = this->eta(parameters);  // in the parameters' precision
}

void Lda::tune(ParameterSet& parameters, const std::function<double()>& score) const {
  if (options_.eta.word != "holdout") return;
  set_eta(parameters, better_eta(eta(parameters), [&](double candidate) {
            set_eta(parameters, candidate);
            return score();
          }));
}

// ∂ELBO/∂λ_vk = ψ'(λ_vk) d_vk − ψ'(Σ_v λ_vk) Σ_v d_vk for the natural gradient d: the Dirichlet's Fisher
// matrix.
void Lda::apply_metric(const ParameterSet& parameters, ParameterSet& direction) const {
  const Tensor lambda = topics(parameters).t() * at::tensor(Topics(parameters).totals(), at::kDouble);
  const Tensor natural = direction["lambda"].to(at::kDouble);
  const Tensor of_totals = at::polygamma(1, lambda.sum(0)) * natural.sum(0);
  const Tensor gradient = at::polygamma(1, lambda) * natural - of_totals;
  direction["lambda"].copy_(gradient / static_cast<double>(shape_.training_rows));
}

double Lda::topics_kl(const ParameterSet& parameters) const {
  const Topics topics(parameters);
  DirichletDivergences divergences(static_cast<std::size_t>(options_.topics), eta(parameters));
  std::vector<DirichletDivergences> of_parts(parts_of(topics), divergences);
  visit_words(topics,
              [&](std::size_t part, std::span<const double> of_word) { of_parts[part].add(of_word); });
  for (const DirichletDivergences& part : of_parts) divergences.add(part);
  return divergences.total() + divergence_of_priors(topics, word_priors_, eta(parameters));
}

// Each document's bound is under the λ its step began with; the KL of λ itself is that of the last λ.
Metrics Lda::training_metrics(const ParameterSet& parameters, const Sums& totals) const {
  const double rows = totals.scalar("rows");
  Metrics metrics;
  if (is_collapsed()) {
    metrics.values["log_likelihood_per_word"] = totals.scalar("bound") / totals.scalar("tokens");
  } else {
    metrics.values["elbo"] =
        totals.scalar("bound") / rows - topics_kl(parameters) / static_cast<double>(shape_.training_rows);
  }
  metrics.values["e_step_iterations"] = totals.scalar("iterations") / rows;
  if (chooses_eta()) metrics.values["eta"] = eta(parameters);
  return metrics;
}

std::unique_ptr<Evaluation> Lda::evaluation(const ParameterSet& parameters, EvaluationRows rows,
                                            std::uint64_t /*seed*/) {
  if (rows == EvaluationRows::training) return std::make_unique<TopicQuality>(parameters);
  if (Topics(parameters).is_double()) return std::make_unique<DocumentCompletion<double>>(*this, parameters);
  return std::make_unique<DocumentCompletion<float>>(*this, parameters);
}

std::int64_t Lda::workspace_bytes(std::int64_t local_rows) const {
  // As a rule of thumb 100 distinct words a document. Of at most V: β' and the expected counts; θ' of each
  // document; and collapsed what groups of documents add up, at most a row for each word of each document.
  const std::int64_t entries = 100 * local_rows;
  const std::int64_t distinct = std::min(vocabulary(), entries + std::ssize(word_priors_.words()));
  return (2 * distinct + local_rows + (is_collapsed() ? entries : 0)) * stride_of(options_.topics) *
         static_cast<std::int64_t>(sizeof(float));
}

Tensor Lda::topics(const ParameterSet& parameters) const {
  const Tensor totals = at::tensor(Topics(parameters).totals(), at::kDouble);
  return topic_tokens(parameters, 0, options_.topics) / totals.unsqueeze(1);
}

Tensor Lda::topic_shares(const ParameterSet& parameters) const {
  const Tensor totals = at::tensor(Topics(parameters).totals(), at::kDouble);
  return totals / totals.sum();
}

namespace {

const RegisterModel registration{{
    .name = "lda",
    .summary = "latent Dirichlet allocation by stochastic variational or collapsed variational Bayes",
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
