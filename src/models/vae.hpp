#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "make_network.hpp"
#include "svi/distributions/likelihood.hpp"
#include "svi/models/latent_model.hpp"
#include "svi/models/model.hpp"
#include "svi/models/registry.hpp"
#include "vae_bounds.hpp"
#include "vae_collapse.hpp"
#include "vae_objective.hpp"

namespace svi::vae {

struct VaeOptions : ModelOptions {
  std::int64_t latent = 20;
  std::vector<std::int64_t> encoder = {400};
  std::vector<std::int64_t> decoder = {400};
  NetworkOptions network;
  std::string binarisation = "none";
  std::string output_bias = "drawn";
  LikelihoodOptions likelihood;
  std::int64_t samples = 1;
  std::string elbo = "analytic";
  BoundOptions bound;
  KlOptions kl;

  void describe(OptionSet& model, OptionSet& objective) override;
  bool takes_counts() const override;
  bool takes_bfloat16() const override { return !network.is_convolutional(); }
  void use_bfloat16() override { network.layers.in_bfloat16 = true; }
  bool works_on_libtorch_threads() const override { return network.is_convolutional(); }
  std::unique_ptr<Model> build(const DataShape& shape) const override;
};

/// L draws of z for each row, and the noise they came from: sample l of row b is row l·B + b of both.
struct Draws {
  Tensor noise;  ///< ε [L·B, Z]
  Tensor z;      ///< [L·B, Z]
};

/// What rows have become on their way through both networks.
struct Pass {
  Tensor x;          ///< what the likelihood is of [B, D]
  Tensor targets;    ///< x once for each draw [L·B, D]: a buffer of the model
  Tensor posterior;  ///< μ and ln σ² of q(z|x) [B, 2Z]: a buffer of the encoder
  Draws draws;
  Tensor output;  ///< of the decoder [L·B, its width]: a buffer of it
};

/// Whether a pass is to learn from: only then are units left out at random, where that is wanted.
enum class PassMode { use, training };

/// See vae.cpp for the model.
class Vae : public Model, public LatentModel {
 public:
  Vae(VaeOptions options, const DataShape& shape);

  std::vector<ParameterShape> parameter_shapes() const override;
  void initialize(ParameterSet& parameters, const Philox& noise) const override;
  SumLayout terms() const override;
  void accumulate(const ParameterSet& parameters, const Minibatch& minibatch, const StepInputs& inputs,
                  Contribution& contribution) override;
  void to_direction(const ParameterSet& parameters, Contribution& total) const override;
  Metrics training_metrics(const ParameterSet& parameters, const Sums& totals) const override;
  std::vector<std::string> warnings() const override;
  SumLayout watched() const override { return monitor_.layout(); }
  std::optional<Notice> watch(std::int64_t step, const Sums& totals,
                              std::map<std::string, std::vector<double>>& watched) const override;
  std::unique_ptr<Evaluation> evaluation(const ParameterSet& parameters, EvaluationRows rows,
                                         std::uint64_t seed) override;
  std::string selection_metric() const override { return "elbo"; }
  void require_fit(const Minibatch& rows) const override;
  std::int64_t workspace_bytes(std::int64_t local_rows) const override;

  bool starts_at_data() const override { return options_.output_bias == "data"; }
  void start_at(const Tensor& means, ParameterSet& parameters) const override;

  // What a trained one is used for: see vae_use.cpp.
  std::int64_t latent() const override { return options_.latent; }
  Posterior encode(const ParameterSet& parameters, const Minibatch& rows, const Philox& noise) override;
  Tensor decode(const ParameterSet& parameters, const Tensor& z) override;
  Tensor pictures(const Minibatch& rows) const override;
  Tensor prior_draws(const ParameterSet& parameters, std::int64_t count, const Philox& noise) override;
  RowBounds bounds(const ParameterSet& parameters, const Minibatch& rows, const Philox& noise) override;
  Tensor log_evidence(const ParameterSet& parameters, const Minibatch& rows, std::int64_t samples,
                      const Philox& noise) override;
  double bits_per_dimension(double log_likelihood) const override;

  const VaeOptions& options() const { return options_; }
  const Likelihood& likelihood() const { return *likelihood_; }
  /// Through both networks, with draws keyed by (seed of `noise`, step, ids) of the minibatch. **Local**;
  /// valid until the next.
  Pass forward(const ParameterSet& parameters, const Minibatch& minibatch, const Philox& noise,
               PassMode mode = PassMode::use);
  /// Σ over rows of the KL by dimension, in the form that is trained. @param per_dimension [Z] nats, added to
  void add_kl(const Pass& pass, std::span<double> per_dimension) const;
  /// The means by row, of the sums in `totals`: "rows", "reconstruction", "kl" [Z], perhaps "objective".
  Metrics elbo_metrics(const Sums& totals) const;
  /// Whether an objective that is not the ELBO is a sum over rows, with the KL's final weight.
  bool tells_objective() const;
  /// That sum. @param log_likelihood [L·B] float64
  double objective(const Pass& pass, const Tensor& log_likelihood) const;

 private:
  Tensor once_for_each_draw(const Tensor& x);
  Draws draw(const Tensor& posterior, const Minibatch& minibatch, const Philox& noise) const;
  Tensor features(const Minibatch& minibatch, const Philox& noise, at::ScalarType type) const;
  double log_evidence_of(const ParameterSet& parameters, const Tensor& x, std::int64_t id,
                         std::int64_t samples, const Philox& noise);

  // In vae_gradient.cpp.
  bool trains_elbo() const { return bound_.is_elbo() && kl_.is_elbo(); }
  void accumulate_elbo(const ParameterSet& parameters, Pass& pass, const KlTerm& kl,
                       Contribution& contribution);
  void accumulate_bound(const ParameterSet& parameters, Pass& pass, const KlTerm& kl,
                        Contribution& contribution);
  Tensor decoder_gradient(const ParameterSet& parameters, Pass& pass, const BoundTerms& bound,
                          ParameterSet& gradients);
  Tensor elbo_gradient(const Pass& pass, const Tensor& z_gradient, const KlTerm& kl) const;

  VaeOptions options_;
  DataShape shape_;
  KlObjective kl_;
  CollapseMonitor monitor_;
  Bound bound_;
  Tensor targets_;                          // a buffer of Pass::targets
  std::unique_ptr<Likelihood> likelihood_;  // before the decoder, whose width it tells
  std::unique_ptr<Network> encoder_;
  std::unique_ptr<Network> decoder_;
};

/// A pass over held-out rows: see vae_evaluation.cpp.
std::unique_ptr<Evaluation> evaluation_of(Vae& vae, const ParameterSet& parameters, std::uint64_t seed);

}  // namespace svi::vae
