#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "lda_kernel.hpp"
#include "svi/base/aligned_buffer.hpp"
#include "svi/core/parameter_set.hpp"
#include "svi/core/shared_work.hpp"

namespace svi::lda {

/// How far apart rows of K topics lie in a buffer, in elements: a multiple of 64 bytes of float32.
inline std::int64_t stride_of(std::int64_t topics) { return (topics + 15) / 16 * 16; }

/// λ as it stands: λ_wk = offset + scale · data_wk. Refers to the parameters, which must outlive it.
class Topics {
 public:
  explicit Topics(const ParameterSet& parameters);

  std::int64_t vocabulary() const { return vocabulary_; }
  std::int64_t topics() const { return topics_; }
  bool is_double() const { return is_double_; }

  template <typename Real>
  const Real* row(std::int64_t word) const {
    return static_cast<const Real*>(first_) + word * topics_;
  }
  double scale() const { return lazy_->scale; }
  double offset() const { return lazy_->offset; }
  /// λ_wk.
  double value(std::int64_t word, std::int64_t k) const;
  /// All λ_wk of one word, [K].
  void values(std::int64_t word, double* of_word) const;
  /// Σ_w λ_wk [K].
  const std::vector<double>& totals() const { return totals_; }

 private:
  const void* first_;
  bool is_double_;
  std::int64_t vocabulary_;
  std::int64_t topics_;
  const LazyScale* lazy_;
  std::vector<double> totals_;
};

/// A pass over λ for sums whose bits do not depend on the number of threads: `visit` is called with every
/// word's λ [K], words of a part one after another and parts at once. **Local.**
void visit_words(const Topics& topics,
                 const std::function<void(std::size_t part, std::span<const double> of_word)>& visit);
/// How many parts `visit_words` makes of them.
std::size_t parts_of(const Topics& topics);

/// Each topic's likeliest words, the likeliest first; of equally likely ones the first in the vocabulary.
/// @param count how many, at most V @return [K, count] word numbers. **Local.**
std::vector<std::vector<std::int64_t>> likeliest_words(const Topics& topics, std::int64_t count);

/// What inference takes of a topic's probability of a word.
enum class RowKind {
  exp_expected_log,  ///< exp(E[ln β]) times 2^45
  mean               ///< E[β]
};

/// β' of some words.
///
/// Means are as they are: row r holds E[β_kw] for k < K and zero up to stride. Of exp(E[ln β]) row r holds
/// 2^45 exp(E[ln β_kw] − offset_r) for k < K and zero for K ≤ k < stride. offset_r is zero, or the largest
/// E[ln β_kw] of a word whose every element would else be too small for the type (a word not seen yet under a
/// small prior: ψ(0.005) = −201). The E-step does not depend on the scale of a row. **Local.**
template <typename Real>
class TopicRows {
 public:
  /// In parts, on all threads; of shared work **Collective**: each process computes a part of them.
  /// @param words distinct word numbers, one for each row
  void compute(const Kernel<Real>& kernel, RowKind kind, std::span<const std::int32_t> words,
               const Topics& topics, SharedWork* shared_work = nullptr);

  std::int64_t topics() const { return topics_; }
  std::int64_t stride() const { return stride_; }
  const Real* row(std::int64_t r) const { return values_ + r * stride_; }
  Real total(std::int64_t r) const { return totals_[r]; }  ///< Σ_k of row r, no mean
  double offset(std::int64_t r) const { return offsets_[r]; }

 private:
  void compute_by_logarithms(std::int64_t r, std::int32_t word, const Topics& topics);

  std::int64_t topics_ = 0;
  std::int64_t stride_ = 0;
  Real* values_ = nullptr;       // [rows, stride]
  Real* totals_ = nullptr;       // [rows]
  double* offsets_ = nullptr;    // [rows]
  SharedWork own_;               // whose memory they are, where no work is shared
  AlignedBuffer<Real> priors_;   // [stride] λ's offset, 1 from K on
  AlignedBuffer<Real> factors_;  // [stride] exp(−ψ(Σ_w λ_wk)) or 1/Σ_w λ_wk, 0 from K on
  std::vector<double> digamma_totals_;
};

}  // namespace svi::lda
