#include "categorical.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "unfit.hpp"

namespace svi {

namespace {

Tensor classes_of(const Tensor& x) { return x.to(at::kLong).unsqueeze(2); }  // [B, D, 1]

Tensor by_row(const Tensor& log_probabilities, const Tensor& x) {
  return log_probabilities.gather(2, classes_of(x)).sum({1, 2}, false, at::kDouble);
}

}  // namespace

Tensor Categorical::encoder_input(const Tensor& x) const { return x / white(); }

Tensor Categorical::log_likelihood(const Tensor& x, const Tensor& output, const ParameterSet&) const {
  return by_row(at::log_softmax(output.view({x.size(0), x.size(1), classes_}), 2), x);
}

double Categorical::log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                                const ParameterSet&, ParameterSet&) const {
  Tensor gradient = output.view({x.size(0), x.size(1), classes_});  // shares its memory
  const Tensor log_probabilities = at::log_softmax(gradient, 2);
  const double sum = weights.sum(by_row(log_probabilities, x));
  at::exp_out(gradient, log_probabilities).neg_();  // ∂ ln p_x/∂ logit_c = [c = x] − p_c
  const Tensor classes = classes_of(x);
  gradient.scatter_add_(2, classes, at::ones(classes.sizes(), gradient.options()));
  weights.scale(output);
  return sum;
}

Tensor Categorical::mean(const Tensor& output) const {
  const Tensor probabilities = at::softmax(output.view({output.size(0), -1, classes_}), 2);
  return at::matmul(probabilities, at::arange(classes_, output.options()));
}

void Categorical::require_fit(const Tensor& x, std::span<const std::int64_t> ids) const {
  require_everywhere((x >= 0).logical_and(x <= white()).logical_and(x == at::floor(x)), x, ids,
                     fmt::format("model.likelihood categorical needs whole numbers from 0 to {} "
                                 "(model.levels: {}); renumber them, or change model.levels",
                                 classes_ - 1, classes_));
}

}  // namespace svi
