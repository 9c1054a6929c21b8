// What a trained model is used for: its topics, its priors, and the topics of documents it has not seen.
#include <ATen/ATen.h>

#include <numeric>

#include "lda.hpp"

namespace svi::lda {

Tensor Lda::topic_tokens(const ParameterSet& parameters, std::int64_t first, std::int64_t last) const {
  const LazyScale& lazy = parameters.lazy("lambda");
  return parameters["lambda"]
      .slice(1, first, last)
      .t()
      .to(at::kDouble)
      .mul(lazy.scale)
      .add(lazy.offset)
      .contiguous();
}

TopicPriors Lda::priors(const ParameterSet& parameters) const {
  const EStepOptions options = e_step_options(parameters);
  TopicPriors priors{.topics = at::empty({options_.topics}, at::kDouble),
                     .words = at::full({vocabulary()}, eta(parameters), at::kDouble)};
  auto* alpha = priors.topics.mutable_data_ptr<double>();
  for (std::int64_t k = 0; k < options_.topics; ++k) alpha[k] = alpha_of(options, k);
  if (word_priors_.words().empty()) return priors;
  priors.words = priors.words.unsqueeze(1).repeat({1, options_.topics});
  word_priors_.add_to_matrix(priors.words.mutable_data_ptr<double>());
  priors.words = priors.words.t();
  return priors;
}

namespace {

template <typename Real>
DocumentTopics fit_topics(Inference<Real>& inference, const Topics& topics, const Minibatch& minibatch,
                          const EStepOptions& options) {
  inference.prepare(topics, options.estimator, std::get<CountRows>(minibatch.rows));
  std::vector<std::int64_t> iterations(static_cast<std::size_t>(minibatch.size()));
  DocumentTopics result{.theta = at::empty({minibatch.size(), topics.topics()}, at::kFloat)};
  auto* theta = result.theta.mutable_data_ptr<float>();
  fit_each<Real>(inference, options, [&](DocumentFit<Real>& fit, std::int64_t b) {
    fit.fit(inference.document(b));
    iterations[static_cast<std::size_t>(b)] = fit.iterations();
    const double share = 1 / total(fit.gamma());
    float* of_document = theta + b * topics.topics();
    for (const Real gamma : fit.gamma())
      *of_document++ = static_cast<float>(static_cast<double>(gamma) * share);
  });
  result.iterations = std::accumulate(iterations.begin(), iterations.end(), std::int64_t{0});
  return result;
}

}  // namespace

DocumentTopics Lda::document_topics(const ParameterSet& parameters, const Minibatch& minibatch) {
  const Topics topics(parameters);
  const auto fit = [&](auto& inference) {
    if (!inference) inference.emplace(vocabulary());
    return fit_topics(*inference, topics, minibatch, e_step_options(parameters));
  };
  return topics.is_double() ? fit(double_documents_) : fit(single_documents_);
}

}  // namespace svi::lda
