// What a minibatch adds to a step: the gradient of the objective, written out, and the parts of the bound.

#include <ATen/ATen.h>

#include <algorithm>

#include "m2.hpp"
#include "svi/distributions/diagonal_gaussian.hpp"

namespace svi::m2 {

namespace {

Tensor weights_of(const Minibatch& minibatch) {
  Tensor weights = at::ones({minibatch.size()}, at::kDouble);
  std::ranges::copy(minibatch.weights, weights.mutable_data_ptr<double>());
  return weights;
}

Tensor labels_of(const Minibatch& minibatch) {
  const Tensor& labels = std::get<DenseRows>(minibatch.rows).labels;
  return labels.defined() ? labels : at::full({minibatch.size()}, -1, at::kLong);
}

double total(const Tensor& values) { return values.sum().item<double>(); }

}  // namespace

// α·N/N_l: of a labelled row, whose weight makes a sum over N_l rows of it.
double M2::label_weight() const {
  if (shape_.labelled_rows == 0) return options_.alpha;
  return options_.alpha * static_cast<double>(shape_.training_rows) /
         static_cast<double>(shape_.labelled_rows);
}

double M2::share_taught(std::int64_t step) const {
  return static_cast<double>(step) < options_.warmup_epochs * static_cast<double>(shape_.steps_per_epoch) ? 0
                                                                                                          : 1;
}

void M2::accumulate(const ParameterSet& parameters, const Minibatch& minibatch, const StepInputs& inputs,
                    Contribution& contribution) {
  ParameterSet& gradients = contribution.statistics;
  const std::int64_t decoder_first = gradients["decoder.0/weight"].storage_offset();
  const auto announce_decoder = [&] { contribution.mark_ready(decoder_first, gradients.flat().numel()); };
  if (minibatch.size() == 0) {  // nothing to add, but every rank announces the same ranges
    gradients.flat().zero_();
    announce_decoder();
    return contribution.mark_ready(0, decoder_first);
  }
  for (const ParameterShape& shape : likelihood_->parameter_shapes(shape_.width()))
    gradients[shape.name].zero_();  // likelihoods add to theirs; networks overwrite
  Pass pass = forward(parameters, minibatch, labels_of(minibatch), inputs.noise);
  const PairBounds parts = bounds(parameters, pass);
  const Tensor row_weights = weights_of(minibatch);
  const Tensor pair_weights = shares(pass) * row_weights.index_select(0, pass.pairs.rows);
  add_terms(pass, parts, row_weights, pair_weights, contribution.terms);

  likelihood_->log_likelihood_and_gradient(pass.x.index_select(0, pass.pairs.rows), pass.output,
                                           RowWeights(pair_weights), parameters, gradients);
  const Tensor z_gradient =
      decoder_->backward(parameters, pass.output, gradients, true).narrow(1, 0, options_.latent);
  announce_decoder();
  const Tensor joined =
      posterior_.backward(parameters, posterior_gradient(pass, z_gradient, pair_weights), gradients, true);
  encoder_->backward(parameters, feature_gradient(pass, joined), gradients, false);
  const Tensor by_logits = class_gradient(pass, row_weights, trained_bounds(parts), minibatch.step);
  classifier_.backward(parameters, by_logits.to(pass.x.scalar_type()), gradients, false);
  contribution.mark_ready(0, decoder_first);
}

// −L(x, y) of each pair with the KL's weight.
Tensor M2::trained_bounds(const PairBounds& parts) const {
  return parts.reconstruction - options_.kl_weight * parts.kl + log_prior();
}

void M2::add_terms(const Pass& pass, const PairBounds& parts, const Tensor& row_weights,
                   const Tensor& pair_weights, Sums& terms) const {
  const Tensor log_class = pass.log_class.index_select(0, pass.pairs.unlabelled);
  const double entropy =
      -total((log_class * log_class.exp()).sum(1) * row_weights.index_select(0, pass.pairs.unlabelled));
  const double reconstruction = total(parts.reconstruction * pair_weights);
  const double kl = total(parts.kl * pair_weights);
  const double of_classes = log_prior() * total(row_weights) + entropy;
  const Tensor of_labels = pass.log_class.index_select(0, pass.pairs.labelled)
                               .gather(1, pass.pairs.labels.unsqueeze(1))
                               .squeeze(1);
  const double labels = total(of_labels * row_weights.index_select(0, pass.pairs.labelled));
  terms.scalar("rows") += static_cast<double>(row_weights.size(0));
  terms.scalar("weight") += total(row_weights);
  terms.scalar("reconstruction") += reconstruction;
  terms.scalar("kl") += kl;
  terms.scalar("bound") += reconstruction - kl + of_classes;
  terms.scalar("objective") +=
      reconstruction - options_.kl_weight * kl + of_classes + label_weight() * labels;
}

// By μ and ln σ², of Σ weight · (ln p(x|y, z) − kl_weight · KL). @param z_gradient has the weights already.
Tensor M2::posterior_gradient(const Pass& pass, const Tensor& z_gradient, const Tensor& weights) const {
  const std::int64_t latent = options_.latent;
  Tensor gradient = at::zeros_like(pass.posterior);
  diagonal_gaussian::add_gradient_analytic(pass.posterior, pass.noise, z_gradient.contiguous(), 0, gradient);
  const Tensor weight = (options_.kl_weight * weights).to(gradient.scalar_type()).unsqueeze(1);
  const Tensor variance = at::exp(pass.posterior.narrow(1, latent, latent));
  gradient.narrow(1, 0, latent).sub_(weight * pass.posterior.narrow(1, 0, latent));
  gradient.narrow(1, latent, latent).sub_(0.5 * weight * (variance - 1));
  return gradient;
}

// By the encoder's output: a row's pairs share it, and rectification stops what it has stopped.
Tensor M2::feature_gradient(const Pass& pass, const Tensor& joined_gradient) const {
  Tensor gradient = at::zeros_like(pass.features);
  gradient.index_add_(0, pass.pairs.rows, joined_gradient.narrow(1, 0, pass.features.size(1)));
  return gradient.mul_(pass.features > 0);
}

// By the logits of q(y|x). Of a row without a label, with a_c = −L(x, c) − ln q_c and −U = Σ_c q_c a_c:
// ∂(−U)/∂ logit_c = q_c (a_c + U). Of a labelled one ∂ ln q_y / ∂ logit_c = [c = y] − q_c.
Tensor M2::class_gradient(const Pass& pass, const Tensor& row_weights, const Tensor& pair_bounds,
                          std::int64_t step) const {
  Tensor gradient = at::zeros_like(pass.log_class);
  const Tensor log_class = pass.log_class.index_select(0, pass.pairs.unlabelled);
  const Tensor class_of = log_class.exp();
  const Tensor excess = pair_bounds.narrow(0, 0, log_class.numel()).view_as(log_class) - log_class;
  const Tensor by_unlabelled = class_of * (excess - (class_of * excess).sum(1, true));
  gradient.index_copy_(0, pass.pairs.unlabelled, by_unlabelled * share_taught(step));
  const Tensor by_labelled = at::one_hot(pass.pairs.labels, options_.classes) -
                             pass.log_class.index_select(0, pass.pairs.labelled).exp();
  gradient.index_copy_(0, pass.pairs.labelled, by_labelled * label_weight());
  return gradient.mul_(row_weights.unsqueeze(1));
}

}  // namespace svi::m2
