// What a trained model is used for: its topics, its priors, and the topics of documents it has not seen.
#include <ATen/ATen.h>

#include <numeric>

#include "lda.hpp"

namespace svi::lda {

Tensor Lda::topic_tokens(const ParameterSet& parameters, std::int64_t first, std::int64_t last) const {
  return parameters["lambda"].slice(1, first, last).t().to(at::kDouble).contiguous();
}

TopicPriors Lda::priors(const ParameterSet&) const {
  return {.topics = at::full({options_.topics}, options_.alpha, at::kDouble),
          .words = at::full({vocabulary()}, options_.eta, at::kDouble)};
}

DocumentTopics Lda::document_topics(const ParameterSet& parameters, const Minibatch& minibatch,
                                    const Philox& noise) {
  const auto& rows = std::get<CountRows>(minibatch.rows);
  inference_.prepare(parameters["lambda"].data_ptr<float>(), totals(parameters), rows);
  DocumentTopics result{.theta = at::empty({rows.rows(), options_.topics}, at::kFloat)};
  auto* theta = result.theta.data_ptr<float>();
  for (std::int64_t b = 0; b < rows.rows(); ++b) {
    const std::int64_t id = minibatch.ids[static_cast<std::size_t>(b)];
    const Inference::Fit& fit =
        inference_.fit(inference_.document(rows, b), inference_.start(noise, minibatch.step, id));
    const double total = std::accumulate(fit.gamma.begin(), fit.gamma.end(), 0.0);
    for (const float gamma : fit.gamma) *theta++ = static_cast<float>(gamma / total);
    result.iterations += fit.iterations;
  }
  return result;
}

}  // namespace svi::lda
