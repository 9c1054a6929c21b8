#include "lda_evaluation.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "svi/core/completion.hpp"
#include "svi/core/parallel.hpp"

namespace svi::lda {

template <typename Real>
DocumentCompletion<Real>::DocumentCompletion(const Lda& lda, const ParameterSet& parameters,
                                             std::uint64_t seed)
    : lda_(lda),
      topics_(parameters),
      options_(lda.e_step_options(parameters)),
      topics_kl_(lda.topics_kl(parameters)),
      noise_(seed),
      inference_(lda.vocabulary()) {}

template <typename Real>
SumLayout DocumentCompletion<Real>::layout() const {
  return {{"rows", 1}, {"bound", 1}, {"predicted_log_likelihood", 1}, {"predicted_tokens", 1}};
}

template <typename Real>
void DocumentCompletion<Real>::add(const Minibatch& minibatch, Sums& sums) {
  inference_.prepare(topics_, std::get<CountRows>(minibatch.rows));
  std::vector<DocumentFit<Real>> fits = fits_of_threads(inference_, options_);
  std::vector<Result> results(static_cast<std::size_t>(minibatch.size()));
  parallel_items(minibatch.size(), [&](std::int64_t thread, std::int64_t b) {
    const std::int64_t id = minibatch.ids[static_cast<std::size_t>(b)];
    std::vector<float> start(static_cast<std::size_t>(topics_.topics()));
    start_document(noise_, minibatch.step, id, start);
    results[static_cast<std::size_t>(b)] = complete(fits[static_cast<std::size_t>(thread)], b, id, start);
  });
  for (const Result& result : results) {
    sums.scalar("rows") += 1;
    sums.scalar("bound") += result.bound;
    sums.scalar("predicted_log_likelihood") += result.log_likelihood;
    sums.scalar("predicted_tokens") += result.tokens;
  }
}

template <typename Real>
auto DocumentCompletion<Real>::complete(DocumentFit<Real>& fit, std::int64_t b, std::int64_t id,
                                        std::span<const float> start) const -> Result {
  const Document document = inference_.document(b);
  fit.fit(document, start);
  Result result{.bound = fit.bound()};
  std::vector<std::int32_t> observed_rows;
  std::vector<float> observed_counts;
  std::vector<double> predicted(document.rows.size());
  for (std::size_t n = 0; n < predicted.size(); ++n) {
    const auto count = static_cast<std::int64_t>(document.counts[n]);
    const std::int32_t word = inference_.words()[static_cast<std::size_t>(document.rows[n])];
    const std::int64_t observed = observed_occurrences(lda_.shape().split_seed, id, word, count);
    predicted[n] = static_cast<double>(count - observed);
    if (observed == 0) continue;
    observed_rows.push_back(document.rows[n]);
    observed_counts.push_back(static_cast<float>(observed));
  }
  fit.fit({observed_rows, observed_counts}, start);
  double gamma_total = 0;
  for (const Real gamma : fit.gamma()) gamma_total += static_cast<double>(gamma);
  for (std::size_t n = 0; n < predicted.size(); ++n) {
    if (predicted[n] == 0) continue;
    double probability = 0;  // Σ_k E[θ_k] E[β_kw]
    const std::int32_t word = inference_.words()[static_cast<std::size_t>(document.rows[n])];
    for (std::size_t k = 0; k < fit.gamma().size(); ++k) {
      probability += static_cast<double>(fit.gamma()[k]) * topics_.value(word, static_cast<std::int64_t>(k)) /
                     topics_.totals()[k];
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
  metrics.values["elbo"] = totals.scalar("bound") / totals.scalar("rows") -
                           topics_kl_ / static_cast<double>(lda_.shape().training_rows);
  metrics.values["log_likelihood_per_word"] = per_word;
  metrics.values["perplexity"] = std::exp(-per_word);
  return metrics;
}

template class DocumentCompletion<float>;
template class DocumentCompletion<double>;

TopicQuality::TopicQuality(const ParameterSet& parameters)
    : words_per_topic_(std::min<std::int64_t>(10, Topics(parameters).vocabulary())),
      place_of_word_(static_cast<std::size_t>(Topics(parameters).vocabulary()), -1) {
  const auto vocabulary = std::ssize(place_of_word_);
  const std::int64_t diversity_words = std::min<std::int64_t>(25, vocabulary);
  const auto top = likeliest_words(Topics(parameters), diversity_words);
  std::set<std::int64_t> different;
  for (const auto& words : top) {
    different.insert(words.begin(), words.end());
    std::vector<std::size_t> places;
    for (std::int64_t i = 0; i < words_per_topic_; ++i) {
      std::int32_t& place = place_of_word_[static_cast<std::size_t>(words[static_cast<std::size_t>(i)])];
      if (place < 0) place = static_cast<std::int32_t>(distinct_++);
      places.push_back(static_cast<std::size_t>(place));
    }
    top_.push_back(places);
  }
  diversity_ =
      static_cast<double>(different.size()) / static_cast<double>(std::ssize(top_) * diversity_words);
  is_present_.assign(distinct_, 0);
}

SumLayout TopicQuality::layout() const {
  const std::int64_t pairs = words_per_topic_ * (words_per_topic_ - 1) / 2;
  return {{"rows", 1},
          {"documents_with_word", static_cast<std::int64_t>(distinct_)},
          {"documents_with_pair", std::ssize(top_) * pairs}};
}

void TopicQuality::add(const Minibatch& minibatch, Sums& sums) {
  const auto& rows = std::get<CountRows>(minibatch.rows);
  const std::span<double> with_word = sums["documents_with_word"];
  const std::span<double> with_pair = sums["documents_with_pair"];
  sums.scalar("rows") += static_cast<double>(rows.rows());
  for (std::size_t b = 0; b + 1 < rows.starts.size(); ++b) {
    std::fill(is_present_.begin(), is_present_.end(), 0);
    for (std::int64_t i = rows.starts[b]; i < rows.starts[b + 1]; ++i) {
      const std::int32_t place =
          place_of_word_[static_cast<std::size_t>(rows.words[static_cast<std::size_t>(i)])];
      if (place < 0) continue;
      is_present_[static_cast<std::size_t>(place)] = 1;
      with_word[static_cast<std::size_t>(place)] += 1;
    }
    std::size_t pair = 0;
    for (const auto& words : top_) {
      for (std::size_t i = 1; i < words.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j)
          with_pair[pair++] += is_present_[words[i]] & is_present_[words[j]];
      }
    }
  }
}

// Mean over pairs of ln(p_ij / (p_i p_j)) / −ln p_ij.
double TopicQuality::npmi(const Sums& totals, std::size_t topic) const {
  const double documents = totals.scalar("rows");
  const auto& words = top_[topic];
  const std::size_t pairs = words.size() * (words.size() - 1) / 2;
  std::size_t pair = topic * pairs;
  double sum = 0;
  for (std::size_t i = 1; i < words.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j, ++pair) {
      const double both = totals["documents_with_pair"][pair] / documents;
      const double first = totals["documents_with_word"][words[i]] / documents;
      const double second = totals["documents_with_word"][words[j]] / documents;
      if (both <= 0) {
        sum -= 1;
      } else if (both >= 1) {
        sum += 1;  // the limit where both are in every document
      } else {
        sum += std::log(both / (first * second)) / -std::log(both);
      }
    }
  }
  return pairs == 0 ? 0 : sum / static_cast<double>(pairs);
}

Metrics TopicQuality::finish(const Sums& totals) const {
  Metrics metrics;
  double mean = 0;
  for (std::size_t k = 0; k < top_.size(); ++k) {
    const double topic = npmi(totals, k);
    metrics.vectors["npmi_per_topic"].push_back(topic);
    mean += topic / static_cast<double>(top_.size());
  }
  metrics.values["npmi"] = mean;
  metrics.values["topic_diversity"] = diversity_;
  return metrics;
}

}  // namespace svi::lda
