#include "lda_priors.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "svi/base/cpu_versions.hpp"
#include "svi/base/error.hpp"
#include "svi/core/parallel.hpp"
#include "svi/math/special.hpp"

namespace svi::lda {

WordPriors::WordPriors(const std::vector<WordPrior>& list, std::int64_t vocabulary, std::int64_t topics)
    : topics_(topics), totals_(static_cast<std::size_t>(topics), 0.0) {
  std::map<std::int32_t, std::vector<double>> rows;
  for (const WordPrior& prior : list) {
    const bool is_for_all = prior.topic == WordPrior::all_topics;
    if (prior.word < 0 || prior.word >= vocabulary || (!is_for_all && prior.topic < 0) ||
        prior.topic >= topics || !(prior.weight > 0)) {
      throw Error(
          ExitCode::bad_data,
          "a prior {} of word {} in topic {}; expected a positive one, words 0 to {} and topics 0 to {}",
          prior.weight, prior.word, prior.topic, vocabulary - 1, topics - 1);
    }
    std::vector<double>& row = rows.try_emplace(prior.word, totals_.size(), 0.0).first->second;
    if (is_for_all) {
      for (double& value : row) value += prior.weight;
    } else {
      row[static_cast<std::size_t>(prior.topic)] += prior.weight;
    }
  }
  for (const auto& [word, row] : rows) {
    words_.push_back(word);
    values_.insert(values_.end(), row.begin(), row.end());
    for (std::size_t k = 0; k < row.size(); ++k) totals_[k] += row[k];
  }
}

std::span<const double> WordPriors::row(std::size_t i) const {
  const auto topics = static_cast<std::size_t>(topics_);
  return std::span(values_).subspan(i * topics, topics);
}

namespace {

template <typename Real>
void add(std::span<const double> row, double factor, Real* values) {
  for (const double value : row) *values++ += static_cast<Real>(factor * value);
}

}  // namespace

template <typename Real>
void WordPriors::add_to_rows(const RowBlock& block) const {
  const std::span<const std::int32_t> rows = block.rows;
  const bool is_part = block.size() < block.whole;
  Real* const values = block.values.mutable_data_ptr<Real>();
  auto place = rows.begin();
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (is_part && (rows.empty() || words_[i] < rows.front() || words_[i] > rows.back())) continue;
    place = std::lower_bound(place, rows.end(), words_[i]);
    if (place == rows.end() || *place != words_[i])
      throw Error(ExitCode::internal, "word {} has a prior of its own but no row in this step", words_[i]);
    add(row(i), 1 / block.factor, values + (place - rows.begin()) * topics_);
  }
}

template <typename Real>
void WordPriors::add_to_matrix(Real* values) const {
  for (std::size_t i = 0; i < words_.size(); ++i) add(row(i), 1, values + words_[i] * topics_);
}

template void WordPriors::add_to_rows<float>(const RowBlock&) const;
template void WordPriors::add_to_rows<double>(const RowBlock&) const;
template void WordPriors::add_to_matrix<float>(float*) const;
template void WordPriors::add_to_matrix<double>(double*) const;

namespace {

SVI_CPU_VERSIONS double digamma_sum(const double* values, std::int64_t count) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t k = 0; k < count; ++k) sum += math::digamma(values[k]);
  return sum;
}

}  // namespace

double log_beta_total(const Topics& topics) {
  std::vector<double> sums(parts_of(topics));
  visit_words(topics, [&](std::size_t part, std::span<const double> of_word) {
    sums[part] += digamma_sum(of_word.data(), topics.topics());
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total -
         static_cast<double>(topics.vocabulary()) * digamma_sum(topics.totals().data(), topics.topics());
}

double fit_eta(double total, std::int64_t vocabulary, const WordPriors& word_priors, double eta) {
  constexpr int most_iterations = 100;
  constexpr double enough = 1e-9;  // of η's relative change
  const auto words = static_cast<double>(vocabulary);
  const auto topics = static_cast<double>(word_priors.totals().size());
  const double plain = topics * (words - static_cast<double>(word_priors.words().size()));
  for (int iteration = 0; iteration < most_iterations; ++iteration) {
    double gradient = total - plain * math::digamma(eta);
    double curvature = -plain * math::trigamma(eta);
    for (const double excess : word_priors.totals()) {
      gradient += words * math::digamma(words * eta + excess);
      curvature += words * words * math::trigamma(words * eta + excess);
    }
    for (std::size_t i = 0; i < word_priors.words().size(); ++i) {
      for (const double excess : word_priors.row(i)) {
        gradient -= math::digamma(eta + excess);
        curvature -= math::trigamma(eta + excess);
      }
    }
    // Within what model.eta may be, and never below a tenth of itself.
    const double next = std::clamp(eta - gradient / curvature, std::max(0.1 * eta, 1e-10), 1e10);
    const double change = std::fabs(next / eta - 1);
    eta = next;
    if (change < enough) break;
  }
  return eta;
}

double better_eta(double eta, const std::function<double(double eta)>& score_of) {
  constexpr double factor = 1.5;
  constexpr int most_moves = 3;
  struct Scored {
    double eta;
    double score;
  };
  const auto next = [&](const Scored& from, double by) {
    const double candidate = std::clamp(from.eta * by, 1e-4, 10.0);
    return candidate == from.eta ? from : Scored{candidate, score_of(candidate)};
  };
  const Scored start{eta, score_of(eta)};
  const Scored up = next(start, factor);
  const Scored down = next(start, 1 / factor);
  const bool goes_up = up.score > down.score;
  Scored best = goes_up ? up : down;
  if (!(best.score > start.score)) return eta;
  for (int moves = 1; moves < most_moves; ++moves) {
    const Scored further = next(best, goes_up ? factor : 1 / factor);
    if (!(further.score > best.score)) break;
    best = further;
  }
  return best.eta;
}

// KL(λ_k ‖ p) = ln Γ(Σλ) − Σ ln Γ(λ) − ln Γ(Σp) + Σ ln Γ(p) + Σ (λ − p) E[ln β] at p = η + E less at p = η.
double divergence_of_priors(const Topics& topics, const WordPriors& word_priors, double eta) {
  if (word_priors.words().empty()) return 0;
  const double of_plain_topic = static_cast<double>(topics.vocabulary()) * eta;
  const double of_plain_word = math::log_gamma(eta);
  const std::size_t count = word_priors.totals().size();
  std::vector<double> digamma_totals(count);
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k) {
    digamma_totals[k] = math::digamma(topics.totals()[k]);
    sum += math::log_gamma(of_plain_topic) - math::log_gamma(of_plain_topic + word_priors.totals()[k]);
  }
  std::vector<double> lambda(count);
  for (std::size_t i = 0; i < word_priors.words().size(); ++i) {
    topics.values(word_priors.words()[i], lambda.data());
    for (std::size_t k = 0; k < count; ++k) {
      const double excess = word_priors.row(i)[k];
      sum += math::log_gamma(eta + excess) - of_plain_word;
      sum -= excess * (math::digamma(lambda[k]) - digamma_totals[k]);
    }
  }
  return sum;
}

}  // namespace svi::lda
