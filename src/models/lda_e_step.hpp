#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

namespace svi::lda {

/// How far apart rows of K topics lie in a buffer: a multiple of 64 bytes.
inline std::int64_t stride_of(std::int64_t topics) { return (topics + 15) / 16 * 16; }

/// A float32 buffer on a 64-byte boundary.
class AlignedFloats {
 public:
  void resize(std::size_t size);
  float* data() { return values_.get(); }
  const float* data() const { return values_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(float* values) const { ::operator delete[](values, std::align_val_t{64}); }
  };
  std::unique_ptr<float, Free> values_;
  std::size_t size_ = 0;
};

/// exp(E[ln β]) of some words, each row scaled by its largest element.
///
/// Row r holds exp(E[ln β_kw] − offset_r) for k < K and zero for K ≤ k < stride, with offset_r the row's
/// largest E[ln β_kw]: at least one element is 1, so that a small prior cannot make a word vanish in
/// float32 (ψ(0.01) = −100.6). The E-step does not depend on the scale of a row. **Local.**
class TopicRows {
 public:
  explicit TopicRows(std::int64_t topics) : topics_(topics), stride_(stride_of(topics)) {}

  /// @param words distinct word numbers, one for each row
  /// @param lambda [V, K] @param digamma_totals ψ(Σ_v λ_vk) [K]
  void compute(std::span<const std::int32_t> words, const float* lambda,
               std::span<const float> digamma_totals);

  std::int64_t topics() const { return topics_; }
  std::int64_t stride() const { return stride_; }
  const float* row(std::int64_t r) const { return values_.data() + r * stride_; }
  double offset(std::int64_t r) const { return offsets_[static_cast<std::size_t>(r)]; }

 private:
  std::int64_t topics_;
  std::int64_t stride_;
  AlignedFloats values_;
  std::vector<float> offsets_;
};

/// One document: rows of a TopicRows, and how often each occurs.
struct Document {
  std::span<const std::int32_t> rows;
  std::span<const float> counts;
};

struct EStepOptions {
  double alpha = 0.1;
  double tolerance = 1e-3;
  std::int64_t max_iterations = 100;
};

/// The E-step of one document at a time: Hoffman, Blei, Bach 2010, algorithm 1 without forming φ.
///
/// With θ' = exp(E[ln θ]) and β' = exp(E[ln β]): φ_nk = θ'_k β'_nk / Σ_j θ'_j β'_nj, hence
/// γ_k = α + θ'_k Σ_n c_n β'_nk / norm_n. It stops when the mean over k of |Δγ_k| falls below the tolerance.
/// **Local.**
class EStep {
 public:
  EStep(std::int64_t topics, EStepOptions options);

  /// Fits γ from `start` [K]. False when float32 cannot hold the document's responsibilities; then use
  /// `fit_reference`.
  bool fit(const TopicRows& beta, const Document& document, std::span<const float> start);

  std::span<const float> gamma() const { return {gamma_.data(), static_cast<std::size_t>(topics_)}; }
  std::int64_t iterations() const { return iterations_; }

  /// Adds θ'_k c_n / norm_n to row n of `sums` [rows, stride]: times β'_nk these are the expected counts.
  void add_statistics(const Document& document, float* sums) const;
  /// Σ_n c_n ln Σ_k θ'_k β'_nk − KL(q(θ) ‖ p(θ)): this document's part of the bound, φ being optimal.
  double bound(const TopicRows& beta, const Document& document) const;

 private:
  /// Copies the document's rows and counts side by side.
  /// @return its words, padded to a multiple of four
  std::int64_t gather(const TopicRows& beta, const Document& document);

  std::int64_t topics_;
  std::int64_t stride_;
  EStepOptions options_;
  std::int64_t iterations_ = 0;
  double theta_offset_ = 0;  // max_k ψ(γ_k): θ' holds exp(ψ(γ_k) − θ_offset)
  AlignedFloats gamma_;
  AlignedFloats theta_;
  AlignedFloats rows_;    // gathered β' [words, stride], words padded to a multiple of four
  AlignedFloats counts_;  // [words], padding zero
  AlignedFloats norms_;   // [words]
  AlignedFloats sums_;    // [stride]
};

}  // namespace svi::lda
