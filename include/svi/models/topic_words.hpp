#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "svi/models/model.hpp"

namespace svi {

/// Calls `visit` with each topic's number and E[β_k] [V] float64, in order, holding a few topics at a time.
/// **Local.**
void for_each_topic(const TopicModel& model, const ParameterSet& parameters,
                    const std::function<void(std::int64_t topic, const Tensor& beta)>& visit);

/// What ranks a topic's words:
///
/// - `probability`: β_kw;
/// - `frex` (Bischof, Airoldi 2012, eq. 1 with weight ½): the harmonic mean of where a word stands in the
///   topic, as the share of words that do not exceed it, by frequency β_kw and by exclusivity β_kw / Σ_j
///   β_jw;
/// - `lift` (Taddy 2012): β_kw / p(w), where p(w) = Σ_k share_k β_kw.
enum class WordOrder { probability, frex, lift };

/// Words of one topic, the first in order first, equal ones by word number.
struct TopicWords {
  std::vector<std::int64_t> words;
  std::vector<double> probabilities;
  std::vector<double> scores;  ///< what they were ranked by
};

/// The first words of every topic in an order: [K], each min(count, V) words. **Local.**
std::vector<TopicWords> rank_words(const TopicModel& model, const ParameterSet& parameters, WordOrder order,
                                   std::int64_t count);

}  // namespace svi
