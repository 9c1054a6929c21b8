#include "svi/models/topic_words.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace svi {

namespace {

constexpr std::int64_t topics_at_once = 16;  // float32 λ of as many lie in 64 bytes

// Σ_k weight_k β_kw [V]
Tensor weighted_sum(const TopicModel& model, const ParameterSet& parameters, const Tensor& weights) {
  Tensor sum;
  for_each_topic(model, parameters, [&](std::int64_t k, const Tensor& beta) {
    const Tensor part = beta * weights[k];
    sum = sum.defined() ? sum.add_(part) : part;
  });
  return sum;
}

// The share of values that do not exceed each.
Tensor standing(const Tensor& values) {
  const Tensor sorted = std::get<0>(values.sort());
  return at::searchsorted(sorted, values, /*out_int32=*/false, /*right=*/true).to(at::kDouble) /
         static_cast<double>(values.numel());
}

Tensor scores_of(const Tensor& beta, WordOrder order, const Tensor& over_topics) {
  if (order == WordOrder::probability) return beta;
  if (order == WordOrder::lift) return beta / over_topics;
  return 2 / (1 / standing(beta / over_topics) + 1 / standing(beta));
}

// The first words by score, equal ones by number; no order of all the others is made.
std::vector<std::int64_t> first_words(const double* scores, std::int64_t vocabulary, std::int64_t count) {
  std::vector<std::int64_t> words(static_cast<std::size_t>(vocabulary));
  std::iota(words.begin(), words.end(), std::int64_t{0});
  const auto end = words.begin() + std::min(count, vocabulary);
  std::partial_sort(words.begin(), end, words.end(), [scores](std::int64_t a, std::int64_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  return {words.begin(), end};
}

}  // namespace

void for_each_topic(const TopicModel& model, const ParameterSet& parameters,
                    const std::function<void(std::int64_t topic, const Tensor& beta)>& visit) {
  const std::int64_t topics = model.topic_shares(parameters).numel();
  for (std::int64_t first = 0; first < topics; first += topics_at_once) {
    const std::int64_t last = std::min(first + topics_at_once, topics);
    const Tensor tokens = model.topic_tokens(parameters, first, last);
    for (std::int64_t k = first; k < last; ++k) visit(k, tokens[k - first] / tokens[k - first].sum());
  }
}

std::vector<TopicWords> rank_words(const TopicModel& model, const ParameterSet& parameters, WordOrder order,
                                   std::int64_t count) {
  const Tensor shares = model.topic_shares(parameters);
  Tensor over_topics;
  if (order == WordOrder::frex) over_topics = weighted_sum(model, parameters, at::ones_like(shares));
  if (order == WordOrder::lift) over_topics = weighted_sum(model, parameters, shares);
  std::vector<TopicWords> ranked;
  for_each_topic(model, parameters, [&](std::int64_t, const Tensor& beta) {
    const Tensor scores = scores_of(beta, order, over_topics).contiguous();
    const auto* score = scores.const_data_ptr<double>();
    const auto* probability = beta.const_data_ptr<double>();
    TopicWords topic{.words = first_words(score, beta.numel(), count)};
    for (const std::int64_t word : topic.words) {
      topic.probabilities.push_back(probability[word]);
      topic.scores.push_back(score[word]);
    }
    ranked.push_back(std::move(topic));
  });
  return ranked;
}

}  // namespace svi
