#include "topic_quality.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace svi::lda {

namespace {

// Mean over topics and their first `count` words of β_kw / Σ_j β_jw.
double exclusivity(const Topics& topics, const std::vector<std::vector<std::int64_t>>& top,
                   std::int64_t count) {
  double sum = 0;
  std::vector<double> beta(top.size());
  for (std::size_t k = 0; k < top.size(); ++k) {
    for (std::int64_t i = 0; i < count; ++i) {
      topics.values(top[k][static_cast<std::size_t>(i)], beta.data());
      for (std::size_t j = 0; j < beta.size(); ++j) beta[j] /= topics.totals()[j];
      sum += beta[k] / std::accumulate(beta.begin(), beta.end(), 0.0);
    }
  }
  return sum / static_cast<double>(std::ssize(top) * count);
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

TopicQuality::TopicQuality(const ParameterSet& parameters) {
  const Topics topics(parameters);
  words_per_topic_ = std::min<std::int64_t>(10, topics.vocabulary());
  place_of_word_.assign(static_cast<std::size_t>(topics.vocabulary()), -1);
  const std::int64_t diversity_words = std::min<std::int64_t>(25, topics.vocabulary());
  const auto top = likeliest_words(topics, diversity_words);
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
  exclusivity_ = exclusivity(topics, top, words_per_topic_);
  is_present_.assign(distinct_, 0);
}

SumLayout TopicQuality::layout() const {
  return {{"rows", 1},
          {"documents_with_word", static_cast<std::int64_t>(distinct_)},
          {"documents_with_pair", static_cast<std::int64_t>(top_.size() * pairs())}};
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

std::size_t TopicQuality::pairs() const {
  return static_cast<std::size_t>(words_per_topic_ * (words_per_topic_ - 1) / 2);
}

double TopicQuality::npmi(const Pair& pair) {
  if (pair.both <= 0) return -1;
  if (pair.both >= 1) return 1;  // the limit where both are in every document
  return std::log(pair.both / (pair.word * pair.likelier)) / -std::log(pair.both);
}

double TopicQuality::u_mass(const Pair& pair) {
  constexpr double epsilon = 1e-12;  // gensim's
  return pair.likelier > 0 ? std::log((pair.both + epsilon) / pair.likelier) : 0;
}

// A measure's mean over the pairs of each topic.
template <typename Measure>
std::vector<double> TopicQuality::of_topics(const Sums& totals, const Measure& measure) const {
  const double documents = totals.scalar("rows");
  const std::span<const double> with_word = totals["documents_with_word"];
  const std::span<const double> with_pair = totals["documents_with_pair"];
  std::vector<double> means;
  std::size_t pair = 0;
  for (const auto& words : top_) {
    double sum = 0;
    for (std::size_t i = 1; i < words.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j, ++pair) {
        sum += measure(Pair{with_pair[pair] / documents, with_word[words[i]] / documents,
                            with_word[words[j]] / documents});
      }
    }
    means.push_back(sum / static_cast<double>(std::max<std::size_t>(pairs(), 1)));
  }
  return means;
}

Metrics TopicQuality::finish(const Sums& totals) const {
  Metrics metrics;
  metrics.vectors["npmi_per_topic"] = of_topics(totals, npmi);
  metrics.vectors["u_mass_per_topic"] = of_topics(totals, u_mass);
  metrics.values["npmi"] = mean(metrics.vectors["npmi_per_topic"]);
  metrics.values["u_mass"] = mean(metrics.vectors["u_mass_per_topic"]);
  metrics.values["topic_diversity"] = diversity_;
  metrics.values["topic_exclusivity"] = exclusivity_;
  return metrics;
}

}  // namespace svi::lda
