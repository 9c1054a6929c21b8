#include "svi/models/topic_words.hpp"

#include <ATen/ATen.h>

#include <algorithm>

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

std::vector<double> at_words(const Tensor& values, const Tensor& words) {
  const Tensor chosen = values.index_select(0, words).contiguous();
  return {chosen.data_ptr<double>(), chosen.data_ptr<double>() + chosen.numel()};
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
    const Tensor scores = scores_of(beta, order, over_topics);
    const Tensor first = scores.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true)
                             .slice(0, 0, std::min(count, beta.numel()))
                             .contiguous();
    ranked.push_back(
        {.words = {first.data_ptr<std::int64_t>(), first.data_ptr<std::int64_t>() + first.numel()},
         .probabilities = at_words(beta, first),
         .scores = at_words(scores, first)});
  });
  return ranked;
}

}  // namespace svi
