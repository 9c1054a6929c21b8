// M2: Kingma, Mohamed, Rezende and Welling 2014, "Semi-supervised learning with deep generative models".
//
//   p(y) = 1/C,  p(z) = N(0, I),  p(x|y, z) = likelihood(decoder(z, y))
//   q(y|x) = softmax(classifier(x)),  q(z|x, y) = N(μ, diag σ²) by posterior(relu(encoder(x)), y)
//   of a labelled row     −L(x, y) = E_q(z|x,y)[ln p(x|y, z)] + ln p(y) − KL(q(z|x, y) ‖ p(z))     (eq. 6)
//   of one without label  −U(x) = Σ_y q(y|x) (−L(x, y) − ln q(y|x))                                (eq. 7)
//   what is trained: 1/N (Σ_labelled −L + Σ_others −U) + α · mean_labelled ln q(y|x)               (eq. 9)
//
// The sum over y is exact: each of the C classes goes through the networks, with a draw of z of its own. −L
// bounds ln p(x, y) and −U bounds ln p(x). Deviations: α here is the paper's divided by N, its 0.1·N is 0.1;
// q(z|x, y) shares what it makes of x among the classes, where the paper's network sees x beside y; the KL's
// weight and the classifier's warm-up are additions, off by default.
//
// Shapes: B rows, C classes, D features, F units of the encoder, Z latent, P pairs of a row and a class.

#include "m2.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "svi/base/error.hpp"
#include "svi/distributions/diagonal_gaussian.hpp"
#include "vae_features.hpp"

namespace svi::m2 {

void M2Options::describe(OptionSet& model, OptionSet& objective) {
  const Range width = Range::between(1, 1 << 20);
  model.integer("classes", classes, Range::between(2, 10000), "classes", "C; labels are 0 to C - 1");
  model.integer("latent", latent, width, "dimensions", "Z, the width of z");
  model.integers("encoder", encoder, width, "units", "layers from x to what q(z|x, y) is made of");
  model.integers("posterior", posterior, width, "units",
                 "hidden layers from there and y to q(z|x, y); [] for none");
  model.integers("classifier", classifier, width, "units", "hidden layers from x to q(y|x); [] for none");
  model.integers("decoder", decoder, width, "units", "hidden layers from z and y to p(x|y, z); [] for none");
  network.describe(model);
  model.choice("binarisation", binarisation, {"none", "dynamic"},
               "none: grey values as probabilities; dynamic: each pixel drawn anew at every step");
  likelihood.describe(model);
  objective.real("alpha", alpha, Range::at_least(0), "",
                 "what the mean of ln q(y|x) over labelled rows counts beside the bound per data point");
  objective.real("kl_weight", kl_weight, Range::at_least(0), "", "what the KL of z counts; 1: the bound");
  objective.real("warmup_epochs", warmup_epochs, Range::between(0, 1e9), "epochs",
                 "until then rows without a label teach the classifier nothing, but all else");
}

std::unique_ptr<Model> M2Options::build(const DataShape& shape) const {
  if (encoder.empty()) throw Error(ExitCode::bad_config, "model.encoder is []; m2 needs a layer at least");
  if (make_likelihood(likelihood)->feature_kind() == FeatureKind::counts) {
    throw Error(ExitCode::bad_config,
                "model.likelihood is {}, which is of word counts; m2 takes dense rows with labels",
                likelihood.likelihood);
  }
  require_binarisation(binarisation, likelihood);
  if (network.layers.dropout > 0) {
    throw Error(ExitCode::bad_config,
                "model.dropout is {}, but m2 drops no units; remove it, or use type vae",
                network.layers.dropout);
  }
  const double end = warmup_epochs * static_cast<double>(shape.steps_per_epoch);
  if (shape.total_steps > 0 && end > static_cast<double>(shape.total_steps)) {
    throw Error(ExitCode::bad_config,
                "objective.warmup_epochs ends at step {:.0f}, but the run at step {} (train.steps, "
                "train.epochs); shorten the warm-up, or train longer",
                end, shape.total_steps);
  }
  return std::make_unique<M2>(*this, shape);
}

M2::M2(M2Options options, const DataShape& shape)
    : options_(std::move(options)),
      shape_(shape),
      likelihood_(make_likelihood(options_.likelihood)),
      encoder_(make_encoder(options_.network, shape.feature_shape,
                            {options_.encoder.begin(), options_.encoder.end() - 1}, options_.encoder.back())),
      posterior_("posterior",
                 layer_widths(options_.encoder.back() + options_.classes, options_.posterior,
                              2 * options_.latent),
                 options_.network.layers),
      classifier_("classifier", layer_widths(shape.width(), options_.classifier, options_.classes),
                  options_.network.layers),
      decoder_(make_decoder(options_.network, options_.latent + options_.classes, options_.decoder,
                            shape.feature_shape,
                            {likelihood_->width(1), likelihood_->is_laid_out_by_feature()})) {}

std::vector<ParameterShape> M2::parameter_shapes() const {
  std::vector<ParameterShape> all;
  for (const Network* network :
       std::initializer_list<const Network*>{encoder_.get(), &posterior_, &classifier_, decoder_.get()}) {
    const auto shapes = network->parameter_shapes();
    all.insert(all.end(), shapes.begin(), shapes.end());
  }
  const auto of_likelihood = likelihood_->parameter_shapes(shape_.width());
  all.insert(all.end(), of_likelihood.begin(), of_likelihood.end());
  return all;
}

void M2::initialize(ParameterSet& parameters, const Philox& noise) const {
  std::uint64_t tensors = 0;
  for (const Network* network :
       std::initializer_list<const Network*>{encoder_.get(), &posterior_, &classifier_, decoder_.get()}) {
    network->initialize(parameters, tensors, noise);
    tensors += network->parameter_shapes().size();
  }
  for (const ParameterShape& shape : likelihood_->parameter_shapes(shape_.width()))
    parameters[shape.name].zero_();
}

Tensor M2::x_of(const Minibatch& minibatch, const Philox& noise, at::ScalarType type) const {
  const Tensor x = as_numbers(std::get<DenseRows>(minibatch.rows), likelihood_->feature_kind(), type);
  return options_.binarisation == "none" ? x : binarised(x, minibatch.ids, minibatch.step, noise);
}

// [·, W] beside one-hot classes: [·, W + C].
Tensor M2::with_class(const Tensor& values, const Tensor& classes) const {
  return at::cat({values, at::one_hot(classes, options_.classes).to(values.scalar_type())}, 1);
}

namespace {

Pairs pairs_of(const Tensor& labels, std::int64_t classes) {
  Pairs pairs;
  pairs.unlabelled = at::nonzero(labels < 0).flatten();
  pairs.labelled = at::nonzero(labels >= 0).flatten();
  pairs.labels = labels.index_select(0, pairs.labelled);
  const Tensor all = at::arange(classes, at::kLong).repeat({pairs.unlabelled.size(0)});
  pairs.rows = at::cat({pairs.unlabelled.repeat_interleave(classes), pairs.labelled});
  pairs.classes = at::cat({all, pairs.labels});
  return pairs;
}

}  // namespace

// Class c of a row has draws c·Z … of (latent, step, id), whether or not the row's label is seen.
Pass M2::forward(const ParameterSet& parameters, const Minibatch& minibatch, const Tensor& labels,
                 const Philox& noise) {
  const at::ScalarType type = parameters.flat().scalar_type();
  const std::int64_t latent = options_.latent;
  Pass pass;
  pass.x = x_of(minibatch, noise, type);
  pass.pairs = pairs_of(labels, options_.classes);
  const Tensor seen = likelihood_->encoder_input(pass.x);
  pass.log_class = at::log_softmax(classifier_.forward(parameters, seen).to(at::kDouble), 1);
  pass.features = encoder_->forward(parameters, seen).relu_();
  pass.posterior = posterior_.forward(
      parameters, with_class(pass.features.index_select(0, pass.pairs.rows), pass.pairs.classes));
  const Tensor by_row =
      standard_normal(minibatch.ids, minibatch.step, options_.classes * latent, Purpose::latent, noise, type);
  pass.noise =
      by_row.view({-1, latent}).index_select(0, pass.pairs.rows * options_.classes + pass.pairs.classes);
  Tensor z = at::empty_like(pass.noise);
  diagonal_gaussian::reparameterise(pass.posterior, pass.noise, z);
  pass.output = decoder_->forward(parameters, with_class(z, pass.pairs.classes));
  return pass;
}

PairBounds M2::bounds(const ParameterSet& parameters, const Pass& pass) const {
  const Tensor mean = pass.posterior.narrow(1, 0, options_.latent).to(at::kDouble);
  const Tensor log_variance = pass.posterior.narrow(1, options_.latent, options_.latent).to(at::kDouble);
  const Tensor x = pass.x.index_select(0, pass.pairs.rows);
  return {likelihood_->log_likelihood(x, pass.output, parameters),
          0.5 * (mean * mean + at::exp(log_variance) - 1 - log_variance).sum(1)};
}

Tensor M2::shares(const Pass& pass) const {
  const Tensor of_classes = pass.log_class.index_select(0, pass.pairs.unlabelled).exp().flatten();
  return at::cat({of_classes, at::ones({pass.pairs.labelled.size(0)}, at::kDouble)});
}

SumLayout M2::terms() const {
  return {{"weight", 1}, {"bound", 1}, {"reconstruction", 1}, {"kl", 1}, {"objective", 1}};
}

void M2::to_direction(const ParameterSet&, Contribution& total) const {
  total.factor = 1.0 / total.terms.scalar("weight");  // Σ N_h/S_h over all rows is N
}

Metrics M2::training_metrics(const ParameterSet&, const Sums& totals) const {
  const double weight = totals.scalar("weight");
  Metrics metrics;
  metrics.values["elbo"] = totals.scalar("bound") / weight;
  for (const char* name : {"reconstruction", "kl", "objective"})
    metrics.values[name] = totals.scalar(name) / weight;
  return metrics;
}

std::vector<std::string> M2::warnings() const {
  const std::int64_t seen = shape_.labelled_classes;
  if (seen == 0 || seen >= options_.classes) return {};
  return {fmt::format("model.classes is {}, but the training labels are of {}: nothing tells what the others "
                      "are; label some rows of each, or lower model.classes",
                      options_.classes, seen)};
}

std::unique_ptr<Evaluation> M2::evaluation(const ParameterSet& parameters, EvaluationRows rows,
                                           std::uint64_t seed) {
  return rows == EvaluationRows::training ? nullptr : evaluation_of(*this, parameters, seed);
}

void M2::require_fit(const Minibatch& minibatch) const {
  const DenseRows& dense = std::get<DenseRows>(minibatch.rows);
  if (dense.rows() == 0) return;
  for (std::size_t b = 0; dense.labels.defined() && b < minibatch.ids.size(); ++b) {
    const std::int64_t label = dense.labels.const_data_ptr<std::int64_t>()[b];
    if (label >= -1 && label < options_.classes) continue;
    throw Error(ExitCode::bad_data,
                "row {} has the label {}, expected 0 to {} (model.classes is {}) or -1 for none",
                minibatch.ids[b], label, options_.classes - 1, options_.classes);
  }
  const bool is_scaled = likelihood_->feature_kind() == FeatureKind::real;
  if (is_scaled && dense.features.scalar_type() == at::kByte) return;
  likelihood_->require_fit(dense.features, minibatch.ids);
}

std::int64_t M2::workspace_bytes(std::int64_t local_rows) const {
  const std::int64_t units = (options_.binarisation == "none" ? 1 : 3) * shape_.width() +
                             encoder_->units_per_row() + classifier_.units_per_row() +
                             2 * options_.encoder.back();
  // Of each class: x again, what the networks see and keep, ε, z, the posterior and its gradient, the output.
  const std::int64_t of_class = shape_.width() + likelihood_->width(shape_.width()) +
                                posterior_.units_per_row() + decoder_->units_per_row() +
                                2 * options_.encoder.back() + 8 * options_.latent + 6 * options_.classes;
  return (units + options_.classes * of_class) * local_rows * static_cast<std::int64_t>(sizeof(float));
}

namespace {

const RegisterModel registration{{
    .name = "m2",
    .summary =
        "semi-supervised VAE whose labels are summed out where they are not known (Kingma et al. 2014)",
    .needs_counts = false,
    .update_rules = {"adam", "sgd"},
    .update_rule_reason = "its gradients are Euclidean, and Robbins-Monro steps are for natural gradients",
    .small = {"classes=3", "latent=2", "encoder=[5]", "classifier=[4]", "decoder=[4]", "activation=tanh"},
    .options = [] { return std::make_unique<M2Options>(); },
}};

}  // namespace
}  // namespace svi::m2
