#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lda_priors.hpp"
#include "lda_statistics.hpp"
#include "svi/models/registry.hpp"

namespace svi::lda {

struct LdaOptions : ModelOptions {
  std::int64_t topics = 100;
  NumberOrWord alpha{.number = 0.1};
  NumberOrWord eta{.number = 0.01};
  std::string prior_path;
  double tolerance = 1e-3;
  std::int64_t max_iterations = 100;
  bool active_topics = true;
  std::string inference = "variational";

  void describe(OptionSet& model, OptionSet& objective) override;
  bool takes_counts() const override { return true; }
  std::optional<PriorFile> prior_file() const override;
  std::unique_ptr<Model> build(const DataShape& shape) const override;
};

/// Latent Dirichlet allocation by stochastic variational or collapsed variational Bayes; see lda.cpp.
class Lda : public Model, public TopicModel {
 public:
  Lda(const LdaOptions& options, const DataShape& shape);

  std::vector<ParameterShape> parameter_shapes() const override;
  bool is_of_prior(std::string_view parameter) const override { return parameter != "lambda"; }
  void initialize(ParameterSet& parameters, const Philox& noise) const override;
  SumLayout terms() const override;
  void accumulate(const ParameterSet& parameters, const Minibatch& minibatch, const StepInputs& inputs,
                  Contribution& contribution) override;
  void to_direction(const ParameterSet& parameters, Contribution& total) const override;
  std::vector<std::int32_t> rows_of_every_step() const override { return word_priors_.words(); }
  void derive(ParameterSet& parameters, std::int64_t step) const override;
  std::string tuned_setting() const override;
  void tune(ParameterSet& parameters, const std::function<double()>& score) const override;
  void apply_metric(const ParameterSet& parameters, ParameterSet& direction) const override;
  Metrics training_metrics(const ParameterSet& parameters, const Sums& totals) const override;
  std::unique_ptr<Evaluation> evaluation(const ParameterSet& parameters, EvaluationRows rows,
                                         std::uint64_t seed) override;
  std::string selection_metric() const override { return "log_likelihood_per_word"; }
  void require_fit(const Minibatch&) const override {}
  std::int64_t workspace_bytes(std::int64_t local_rows) const override;
  Tensor topics(const ParameterSet& parameters) const override;
  Tensor topic_shares(const ParameterSet& parameters) const override;
  Tensor topic_tokens(const ParameterSet& parameters, std::int64_t first, std::int64_t last) const override;
  TopicPriors priors(const ParameterSet& parameters) const override;
  DocumentTopics document_topics(const ParameterSet& parameters, const Minibatch& rows) override;

  const LdaOptions& options() const { return options_; }
  const DataShape& shape() const { return shape_; }
  std::int64_t vocabulary() const { return shape_.width(); }
  /// What E-steps under these parameters go by.
  EStepOptions e_step_options(const ParameterSet& parameters) const;
  /// η, the prior that all words have in common.
  double eta(const ParameterSet& parameters) const;
  bool chooses_eta() const { return !options_.eta.word.empty(); }
  /// Σ_k KL(q(β_k) ‖ p(β_k)) in nats.
  double topics_kl(const ParameterSet& parameters) const;

 private:
  bool is_collapsed() const { return options_.inference == "scvb0"; }
  bool learns_alpha() const { return options_.alpha.list.empty() && !options_.alpha.word.empty(); }
  void derive_alpha(ParameterSet& parameters) const;
  void set_eta(ParameterSet& parameters, double eta) const;

  LdaOptions options_;
  DataShape shape_;
  WordPriors word_priors_;
  std::optional<Statistics<float>> single_;  // the one of the parameters' type
  std::optional<Statistics<double>> double_;
  // Likewise, for topics of documents: kept, since their buffers are large and blocks of documents small.
  std::optional<Inference<float>> single_documents_;
  std::optional<Inference<double>> double_documents_;
};

}  // namespace svi::lda
