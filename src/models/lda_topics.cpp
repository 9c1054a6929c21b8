#include "lda_topics.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "svi/base/prefetch.hpp"
#include "svi/core/parallel.hpp"
#include "svi/math/special.hpp"

namespace svi::lda {

Topics::Topics(const ParameterSet& parameters)
    : first_(parameters["lambda"].const_data_ptr()),
      is_double_(parameters["lambda"].scalar_type() == at::kDouble),
      vocabulary_(parameters["lambda"].size(0)),
      topics_(parameters["lambda"].size(1)),
      lazy_(&parameters.lazy("lambda")),
      totals_(column_totals(parameters["lambda"], *lazy_)) {}

double Topics::value(std::int64_t word, std::int64_t k) const {
  const double data = is_double() ? row<double>(word)[k] : static_cast<double>(row<float>(word)[k]);
  return lazy_->offset + lazy_->scale * data;
}

void Topics::values(std::int64_t word, double* of_word) const {
  const auto fill = [&](const auto* data) {
    for (std::int64_t k = 0; k < topics_; ++k)
      of_word[k] = lazy_->offset + lazy_->scale * static_cast<double>(data[k]);
  };
  if (is_double_) {
    fill(row<double>(word));
  } else {
    fill(row<float>(word));
  }
}

namespace {

constexpr std::int64_t words_of_a_part = 512;  // which fixes the order of sums

}  // namespace

std::size_t parts_of(const Topics& topics) {
  return static_cast<std::size_t>((topics.vocabulary() + words_of_a_part - 1) / words_of_a_part);
}

void visit_words(const Topics& topics,
                 const std::function<void(std::size_t part, std::span<const double> of_word)>& visit) {
  const auto parts = static_cast<std::int64_t>(parts_of(topics));
  parallel_items(parts, [&](std::int64_t /*thread*/, std::int64_t part) {
    std::vector<double> of_word(static_cast<std::size_t>(topics.topics()));
    const std::int64_t last = std::min(topics.vocabulary(), (part + 1) * words_of_a_part);
    for (std::int64_t word = part * words_of_a_part; word < last; ++word) {
      topics.values(word, of_word.data());
      visit(static_cast<std::size_t>(part), of_word);
    }
  });
}

std::vector<std::vector<std::int64_t>> likeliest_words(const Topics& topics, std::int64_t count) {
  struct Candidate {
    double value;
    std::int64_t word;
  };
  const auto size = static_cast<std::size_t>(std::min(count, topics.vocabulary()));
  std::vector<std::vector<Candidate>> best(static_cast<std::size_t>(topics.topics()));  // best first
  std::vector<double> of_word(best.size());
  for (std::int64_t word = 0; word < topics.vocabulary() && size > 0; ++word) {
    topics.values(word, of_word.data());
    for (std::size_t k = 0; k < best.size(); ++k) {
      if (best[k].size() == size && !(of_word[k] > best[k].back().value)) continue;
      if (best[k].size() == size) best[k].pop_back();
      const auto place =
          std::upper_bound(best[k].begin(), best[k].end(), of_word[k],
                           [](double value, const Candidate& other) { return value > other.value; });
      best[k].insert(place, {of_word[k], word});
    }
  }
  std::vector<std::vector<std::int64_t>> words(best.size());
  for (std::size_t k = 0; k < best.size(); ++k) {
    for (const Candidate& candidate : best[k]) words[k].push_back(candidate.word);
  }
  return words;
}

template <typename Real>
void TopicRows<Real>::compute(const Kernel<Real>& kernel, RowKind kind, std::span<const std::int32_t> words,
                              const Topics& topics, SharedWork* shared_work) {
  const bool is_mean = kind == RowKind::mean;
  // Below this a row's largest element has lost its neighbours to the end of float32's range.
  constexpr Real smallest_row = 1e-10F;
  constexpr std::int64_t words_ahead = 4;
  topics_ = topics.topics();
  stride_ = stride_of(topics_);
  SharedWork& work = shared_work == nullptr ? own_ : *shared_work;
  const std::int64_t rows = std::ssize(words);
  values_ = work.array<Real>("topic rows", rows * stride_);
  totals_ = work.array<Real>("totals of topic rows", rows);
  offsets_ = work.array<double>("offsets of topic rows", rows);
  priors_.resize(static_cast<std::size_t>(stride_));
  factors_.resize(static_cast<std::size_t>(stride_));
  digamma_totals_.clear();
  for (const double total : topics.totals()) digamma_totals_.push_back(math::digamma(total));
  for (std::int64_t k = 0; k < stride_; ++k) {
    priors_.data()[k] = k < topics_ ? static_cast<Real>(topics.offset()) : Real(1);
    const auto topic = static_cast<std::size_t>(std::min(k, topics_ - 1));
    const double factor = is_mean ? 1 / topics.totals()[topic] : std::exp(-digamma_totals_[topic]);
    factors_.data()[k] = k < topics_ ? static_cast<Real>(factor) : Real(0);
  }
  const auto scale = static_cast<Real>(topics.scale());
  // A topic of hardly any tokens, its prior's included: its factor is beyond float32.
  const bool has_tiny_topic = *std::min_element(digamma_totals_.begin(), digamma_totals_.end()) < -40;
  const Part mine = work.part(rows);
  parallel_parts(mine.size(), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t last = mine.first + end;
    for (std::int64_t r = mine.first + begin; r < last; ++r) {
      if (r + words_ahead < last)
        prefetch<Access::read>(topics.row<Real>(words[static_cast<std::size_t>(r + words_ahead)]), topics_);
      const std::int32_t word = words[static_cast<std::size_t>(r)];
      const Real* data = topics.row<Real>(word);
      Real* row = values_ + r * stride_;
      offsets_[r] = 0;
      if (is_mean) {
        kernel.mean_row(topics_, stride_, data, scale, priors_.data(), factors_.data(), row);
        continue;
      }
      const auto [largest, total] =
          kernel.topic_row(topics_, stride_, data, scale, priors_.data(), factors_.data(), row);
      totals_[r] = total;
      if (!(largest >= smallest_row) || has_tiny_topic) compute_by_logarithms(r, word, topics);
    }
  });
  work.meet();
}

template <typename Real>
void TopicRows<Real>::compute_by_logarithms(std::int64_t r, std::int32_t word, const Topics& topics) {
  std::vector<double> logarithms(static_cast<std::size_t>(topics_));
  topics.values(word, logarithms.data());
  for (std::size_t k = 0; k < logarithms.size(); ++k)
    logarithms[k] = math::digamma(logarithms[k]) - digamma_totals_[k];
  const double largest = *std::max_element(logarithms.begin(), logarithms.end());
  offsets_[r] = largest;
  Real* row = values_ + r * stride_;
  for (std::size_t k = 0; k < logarithms.size(); ++k)
    row[k] = static_cast<Real>(factor_scale * std::exp(std::max(logarithms[k] - largest, -118.0)));
  totals_[r] = std::accumulate(row, row + topics_, Real(0));
}

template class TopicRows<float>;
template class TopicRows<double>;

}  // namespace svi::lda
