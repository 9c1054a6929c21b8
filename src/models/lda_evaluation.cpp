#include "lda_evaluation.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "svi/core/completion.hpp"

namespace svi::lda {

template <typename Real>
DocumentCompletion<Real>::DocumentCompletion(const Lda& lda, const ParameterSet& parameters)
    : lda_(lda),
      topics_(parameters),
      options_(lda.e_step_options(parameters)),
      topics_kl_(has_bound() ? lda.topics_kl(parameters) : 0),
      inference_(lda.vocabulary()),
      eta_(lda.eta(parameters)) {}

template <typename Real>
SumLayout DocumentCompletion<Real>::layout() const {
  return {{"rows", 1},
          {"bound", 1},
          {"tokens", 1},
          {"predicted_log_likelihood", 1},
          {"predicted_tokens", 1},
          {"completed_rows", 1},
          {"log_likelihoods_per_word", 1}};
}

template <typename Real>
void DocumentCompletion<Real>::add(const Minibatch& minibatch, Sums& sums) {
  inference_.prepare(topics_, options_.estimator, std::get<CountRows>(minibatch.rows));
  std::vector<Result> results(static_cast<std::size_t>(minibatch.size()));
  fit_each<Real>(inference_, options_, [&](DocumentFit<Real>& fit, std::int64_t b) {
    const auto place = static_cast<std::size_t>(b);
    results[place] = complete(fit, b, minibatch.ids[place]);
  });
  for (const Result& result : results) {
    sums.scalar("rows") += 1;
    sums.scalar("bound") += result.bound;
    sums.scalar("tokens") += result.all_tokens;
    sums.scalar("predicted_log_likelihood") += result.log_likelihood;
    sums.scalar("predicted_tokens") += result.tokens;
    if (result.tokens == 0) continue;
    sums.scalar("completed_rows") += 1;
    sums.scalar("log_likelihoods_per_word") += result.log_likelihood / result.tokens;
  }
}

template <typename Real>
auto DocumentCompletion<Real>::complete(DocumentFit<Real>& fit, std::int64_t b, std::int64_t id) const
    -> Result {
  const Document document = inference_.document(b);
  Result result;
  if (has_bound()) result.bound = fit.fit_bound(document);
  std::vector<std::int32_t> words;
  for (const std::int32_t row : document.rows)
    words.push_back(inference_.words()[static_cast<std::size_t>(row)]);
  const DataShape& shape = lda_.shape();
  const std::vector<std::int64_t> observed =
      observed_half(shape.completion, shape.split_seed, id, words, document.counts);
  std::vector<std::int32_t> observed_rows;
  std::vector<float> observed_counts;
  std::vector<double> predicted;
  for (std::size_t n = 0; n < observed.size(); ++n) {
    result.all_tokens += static_cast<double>(document.counts[n]);
    predicted.push_back(static_cast<double>(document.counts[n]) - static_cast<double>(observed[n]));
    if (observed[n] == 0) continue;
    observed_rows.push_back(document.rows[n]);
    observed_counts.push_back(static_cast<float>(observed[n]));
  }
  fit.fit({observed_rows, observed_counts});
  const double gamma_total = total(fit.gamma());
  for (std::size_t n = 0; n < predicted.size(); ++n) {
    if (predicted[n] == 0) continue;
    double probability = 0;  // Σ_k E[θ_k] E[β_kw]
    for (std::size_t k = 0; k < fit.gamma().size(); ++k) {
      probability += static_cast<double>(fit.gamma()[k]) *
                     topics_.value(words[n], static_cast<std::int64_t>(k)) / topics_.totals()[k];
    }
    result.log_likelihood += predicted[n] * std::log(probability / gamma_total);
    result.tokens += predicted[n];
  }
  return result;
}

template <typename Real>
Metrics DocumentCompletion<Real>::finish(const Sums& totals) const {
  Metrics metrics;
  const double per_word = totals.scalar("predicted_log_likelihood") / totals.scalar("predicted_tokens");
  if (has_bound()) {
    metrics.values["elbo"] = totals.scalar("bound") / totals.scalar("rows") -
                             topics_kl_ / static_cast<double>(lda_.shape().training_rows);
    metrics.values["bound_per_word"] = totals.scalar("bound") / totals.scalar("tokens");
    metrics.values["bound_perplexity"] = std::exp(-metrics.values["bound_per_word"]);
  }
  metrics.values["log_likelihood_per_word"] = per_word;
  metrics.values["perplexity"] = std::exp(-per_word);
  if (lda_.chooses_eta()) metrics.values["eta"] = eta_;
  if (lda_.shape().completion == Completion::etm) {
    metrics.values["etm_perplexity"] =
        std::exp(-totals.scalar("log_likelihoods_per_word") / totals.scalar("completed_rows"));
  }
  return metrics;
}

template class DocumentCompletion<float>;
template class DocumentCompletion<double>;

}  // namespace svi::lda
