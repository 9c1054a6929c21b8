#pragma once

#include <ATen/core/Tensor.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "make_network.hpp"
#include "svi/distributions/likelihood.hpp"
#include "svi/models/label_model.hpp"
#include "svi/models/model.hpp"
#include "svi/models/registry.hpp"

namespace svi::m2 {

struct M2Options : ModelOptions {
  std::int64_t classes = 10;
  std::int64_t latent = 10;
  std::vector<std::int64_t> encoder = {400};
  std::vector<std::int64_t> posterior = {};
  std::vector<std::int64_t> classifier = {400};
  std::vector<std::int64_t> decoder = {400};
  NetworkOptions network;
  std::string binarisation = "none";
  LikelihoodOptions likelihood;
  double alpha = 0.1;
  double kl_weight = 1;
  double warmup_epochs = 0;

  void describe(OptionSet& model, OptionSet& objective) override;
  bool learns_labels() const override { return true; }
  bool works_on_libtorch_threads() const override { return network.is_convolutional(); }
  std::unique_ptr<Model> build(const DataShape& shape) const override;
};

/// Which rows go through the networks with which labels: P pairs (row, class), of a row without a label all
/// classes side by side, of a labelled one its own. Rows without a label come first.
struct Pairs {
  Tensor rows;        ///< [P] int64, places in the minibatch
  Tensor classes;     ///< [P] int64
  Tensor unlabelled;  ///< [U] int64, places in the minibatch
  Tensor labelled;    ///< [B − U] int64, likewise
  Tensor labels;      ///< [B − U] int64
};

/// What rows have become on their way through the networks; buffers of them, valid until the next pass.
struct Pass {
  Tensor x;  ///< [B, D]
  Pairs pairs;
  Tensor log_class;  ///< ln q(y|x) [B, C] float64
  Tensor features;   ///< of x for q(z|x, y), after their rectification [B, F]
  Tensor posterior;  ///< μ and ln σ² of q(z|x, y) [P, 2Z]
  Tensor noise;      ///< ε [P, Z]
  Tensor output;     ///< of the decoder [P, its width]
};

/// The parts of the pairs' bounds −L(x, y) = reconstruction − kl + ln p(y), each [P] float64, nats.
struct PairBounds {
  Tensor reconstruction;  ///< ln p(x|y, z)
  Tensor kl;              ///< KL(q(z|x, y) ‖ p(z))
};

/// See m2.cpp for the model.
class M2 : public Model, public LabelModel {
 public:
  M2(M2Options options, const DataShape& shape);

  std::vector<ParameterShape> parameter_shapes() const override;
  void initialize(ParameterSet& parameters, const Philox& noise) const override;
  SumLayout terms() const override;
  void accumulate(const ParameterSet& parameters, const Minibatch& minibatch, const StepInputs& inputs,
                  Contribution& contribution) override;
  void to_direction(const ParameterSet& parameters, Contribution& total) const override;
  Metrics training_metrics(const ParameterSet& parameters, const Sums& totals) const override;
  std::vector<std::string> warnings() const override;
  std::unique_ptr<Evaluation> evaluation(const ParameterSet& parameters, EvaluationRows rows,
                                         std::uint64_t seed) override;
  std::string selection_metric() const override { return "accuracy"; }
  void require_fit(const Minibatch& rows) const override;
  std::int64_t workspace_bytes(std::int64_t local_rows) const override;

  // What a trained one is used for: see m2_use.cpp.
  std::int64_t classes() const override { return options_.classes; }
  Tensor class_probabilities(const ParameterSet& parameters, const Minibatch& rows,
                             const Philox& noise) override;
  Tensor latent_draws(const ParameterSet& parameters, std::int64_t count, const Philox& noise) override;
  Tensor decode(const ParameterSet& parameters, const Tensor& z, const Tensor& labels) override;

  /// Through all networks. @param labels [B] int64, −1 where all classes are tried. **Local.**
  Pass forward(const ParameterSet& parameters, const Minibatch& minibatch, const Tensor& labels,
               const Philox& noise);
  PairBounds bounds(const ParameterSet& parameters, const Pass& pass) const;
  /// What each pair counts in a sum over rows [P] float64: q(y|x) of a row without a label, 1 of others.
  Tensor shares(const Pass& pass) const;

 private:
  Tensor x_of(const Minibatch& minibatch, const Philox& noise, at::ScalarType type) const;
  Tensor with_class(const Tensor& values, const Tensor& classes) const;

  double log_prior() const { return -std::log(static_cast<double>(options_.classes)); }  // ln p(y)

  // In m2_gradient.cpp.
  Tensor trained_bounds(const PairBounds& parts) const;
  void add_terms(const Pass& pass, const PairBounds& parts, const Tensor& row_weights,
                 const Tensor& pair_weights, Sums& terms) const;
  Tensor posterior_gradient(const Pass& pass, const Tensor& z_gradient, const Tensor& weights) const;
  Tensor feature_gradient(const Pass& pass, const Tensor& joined_gradient) const;
  Tensor class_gradient(const Pass& pass, const Tensor& row_weights, const Tensor& pair_bounds,
                        std::int64_t step) const;
  double label_weight() const;
  double share_taught(std::int64_t step) const;

  M2Options options_;
  DataShape shape_;
  std::unique_ptr<Likelihood> likelihood_;  // before the decoder, whose width it tells
  std::unique_ptr<Network> encoder_;
  Mlp posterior_;
  Mlp classifier_;
  std::unique_ptr<Network> decoder_;
};

/// A pass over held-out rows: see m2_use.cpp.
std::unique_ptr<Evaluation> evaluation_of(M2& model, const ParameterSet& parameters, std::uint64_t seed);

}  // namespace svi::m2
