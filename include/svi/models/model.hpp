#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "svi/base/options.hpp"
#include "svi/base/random.hpp"
#include "svi/core/completion.hpp"
#include "svi/core/contribution.hpp"
#include "svi/core/minibatch.hpp"
#include "svi/core/parameter_set.hpp"
#include "svi/core/sums.hpp"
#include "svi/core/word_prior.hpp"

namespace svi {

/// What a model needs to know of the data before it sees any.
struct DataShape {
  std::int64_t training_rows = 0;           ///< N
  std::vector<std::int64_t> feature_shape;  ///< [28, 28]; of counts [V]
  std::int64_t steps_per_epoch = 0;         ///< 0: not to be trained
  std::int64_t total_steps = 0;             ///< of the run; 0: not to be trained
  std::int64_t labelled_rows = 0;           ///< N_l of them whose label is seen; 0: of no model of labels
  std::int64_t labelled_classes = 0;        ///< how many classes these labels are of; 0: not known
  std::uint64_t split_seed = 1;             ///< of the document-completion halves
  Completion completion = Completion::tokens;
  std::vector<WordPrior> word_priors;  ///< of a topic model: priors of words besides the common one

  std::int64_t width() const;  ///< D, or V
};

/// Named figures of an evaluation or a training line; vectors for figures by dimension or topic.
struct Metrics {
  std::map<std::string, double> values;
  std::map<std::string, std::vector<double>> vectors;
};

/// One pass over rows that adds up sums, and the figures made from their totals over all ranks.
class Evaluation {
 public:
  virtual ~Evaluation() = default;
  /// Adds these rows to `sums`. **Local.**
  virtual void add(const Minibatch& rows, Sums& sums) = 0;
  virtual SumLayout layout() const = 0;
  /// @param totals the sums over all ranks. **Local**, the same on every rank.
  virtual Metrics finish(const Sums& totals) const = 0;
};

/// Which rows an evaluation passes over.
enum class EvaluationRows { held_out, training };

/// What a step's local computation may depend on besides parameters and rows.
struct StepInputs {
  Philox noise;                                                      ///< keyed by the run's seed
  const std::map<std::string, std::vector<double>>& previous_means;  ///< see TrainingState
};

/// What a person should know of a run.
struct Notice {
  std::string name;  ///< of the event: "posterior_collapse"
  std::string text;  ///< one line
};

/// A model and its variational family: the sums it needs from data points, and the geometry of its
/// parameters. It never sees ranks, files or clocks; of ranks that share work it knows which part is this one's.
///
/// The three functions in the order in which `Trainer::run` calls them are the algorithm: `accumulate`
/// (local), then the sum over ranks, then `to_direction`.
class Model {
 public:
  virtual ~Model() = default;

  virtual std::vector<ParameterShape> parameter_shapes() const = 0;
  /// Whether a parameter is one of a prior that is learned beside the rest: models that learn it and models
  /// that don't can start from each other.
  virtual bool is_of_prior(std::string_view /*parameter*/) const { return false; }
  /// Sets the parameters' first values from keyed noise. **Local**, the same on every rank.
  virtual void initialize(ParameterSet& parameters, const Philox& noise) const = 0;

  /// The parts of the ELBO it adds up, each in nats.
  virtual SumLayout terms() const = 0;
  /// Writes the sums over these rows into `contribution`: expected sufficient statistics, or the gradient of
  /// Σ ELBO_n by the parameters. It overwrites every statistic, and adds to the terms. **Local**, but for
  /// what processes do once for all of them where `contribution` has shared work, which is **Collective**.
  virtual void accumulate(const ParameterSet& parameters, const Minibatch& minibatch,
                          const StepInputs& inputs, Contribution& contribution) = 0;

  /// Turns the totals over the global minibatch into an ascent direction, in place in `total.statistics` and
  /// `total.factor`; of a lazy matrix λ the direction is λ̂ − λ, and λ̂ is left in `total.rows`.
  ///
  /// The factor N/S (conjugate) or 1/S (gradients of the mean) is applied here and nowhere else, with S =
  /// total.terms["rows"] or, of rows with weights (Minibatch::weights), the sum of these; terms of the
  /// global parameters are added here, once. **Local**, the same on every rank.
  virtual void to_direction(const ParameterSet& parameters, Contribution& total) const = 0;

  /// Rows of the lazy matrix whose λ̂ differs from the offset at every step, ascending: they are in every
  /// contribution, whether or not their words occur. **Local**, the same on every rank.
  virtual std::vector<std::int32_t> rows_of_every_step() const { return {}; }

  /// Recomputes parameters that follow from others after a step. **Local**, the same on every rank.
  /// @param step completed updates, this one included
  virtual void derive(ParameterSet& /*parameters*/, std::int64_t /*step*/) const {}

  /// The setting that has `tune` choose, such as "model.eta: holdout"; empty: none.
  virtual std::string tuned_setting() const { return {}; }
  /// Chooses parameters by the validation rows, before each evaluation of them that the schedule names.
  /// @param score the selection metric with the parameters as they are at the call. **Collective**, and the
  /// same number on every rank, so that every rank chooses alike.
  virtual void tune(ParameterSet& /*parameters*/, const std::function<double()>& /*score*/) const {}

  /// Turns a direction (per data point where it is a gradient) into the gradient of the ELBO per data point,
  /// by the metric G in which it is steepest: the identity for plain gradients, the Fisher matrix for natural
  /// ones.
  virtual void apply_metric(const ParameterSet& /*parameters*/, ParameterSet& /*direction*/) const {}

  /// The figures of a training line: at least `elbo`, in nats per data point with global terms counted once
  /// and divided by N. The terms may span several steps, each summed under the parameters before that step,
  /// whereas terms of the global parameters are those of `parameters`. **Local**, the same on every rank.
  /// @param totals of `terms()` over all ranks
  virtual Metrics training_metrics(const ParameterSet& parameters, const Sums& totals) const = 0;

  /// What is odd about the configuration, one line each, told when a run starts.
  virtual std::vector<std::string> warnings() const { return {}; }
  /// Names and lengths of what `watch` adds up from step to step, zeros at first: part of the training state.
  virtual SumLayout watched() const { return {}; }
  /// What a step brings to light that a person should know, told once. **Local**, the same on every rank.
  /// @param step completed updates, this one included @param totals of `terms()` over all ranks; all zero,
  /// "rows" too, of a step that was skipped @param watched see TrainingState, changed
  virtual std::optional<Notice> watch(std::int64_t /*step*/, const Sums& /*totals*/,
                                      std::map<std::string, std::vector<double>>& /*watched*/) const {
    return std::nullopt;
  }

  /// A pass over rows with these parameters, which must outlive it; null where the model needs none.
  virtual std::unique_ptr<Evaluation> evaluation(const ParameterSet& parameters, EvaluationRows rows,
                                                 std::uint64_t seed) = 0;
  /// Which held-out figure chooses the best checkpoint; larger is better.
  virtual std::string selection_metric() const = 0;

  /// @throws Error (bad_data) naming row and value when rows cannot come from this model's likelihood.
  /// **Local.**
  virtual void require_fit(const Minibatch& rows) const = 0;
  /// Bytes of working memory for a local minibatch, for the plan. **Local.**
  virtual std::int64_t workspace_bytes(std::int64_t local_rows) const = 0;
};

/// What a topic model makes of some documents.
struct DocumentTopics {
  Tensor theta;                 ///< E[θ] [B, K] float32, rows sum to one
  std::int64_t iterations = 0;  ///< of all E-steps together
};

/// The Dirichlet priors of a topic model, float64.
struct TopicPriors {
  Tensor topics;  ///< α [K], of a document's topics
  Tensor words;   ///< η of a topic's words: [V], or [K, V] where topics differ
};

/// What models with topics, q(β_k) = Dirichlet(λ_k), can do besides. **Local.**
class TopicModel {
 public:
  virtual ~TopicModel() = default;
  /// E[β_kw] [K, V] float64, rows sum to one.
  virtual Tensor topics(const ParameterSet& parameters) const = 0;
  /// The topics' shares of the training data's tokens, [K] float64, sums to one; each topic's tokens include
  /// those its prior stands for, η·V.
  virtual Tensor topic_shares(const ParameterSet& parameters) const = 0;

  /// λ of topics [first, last): [last − first, V] float64. Divided by its sum a row is E[β_k]. For passes
  /// over the topics that never hold all of them.
  virtual Tensor topic_tokens(const ParameterSet& parameters, std::int64_t first,
                              std::int64_t last) const = 0;
  virtual TopicPriors priors(const ParameterSet& parameters) const = 0;
  /// The E-step of `accumulate` on whole documents. A document's bits follow from its words and the
  /// parameters, with whatever other documents it comes.
  virtual DocumentTopics document_topics(const ParameterSet& parameters, const Minibatch& rows) = 0;
};

}  // namespace svi
