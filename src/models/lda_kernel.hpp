#pragma once

#include <cstdint>
#include <span>

namespace svi::lda {

/// Both factors of a responsibility carry 2^45, so that float32 holds exp(ψ(x)) down to ψ = −117, x = 0.0086.
inline constexpr double factor_scale = 35184372088832.0;  // 2^45

/// Most topics that an E-step goes on with alone.
inline constexpr std::int64_t most_active = 64;
/// Elements of a list of them, which is written up to sixteen at a time.
inline constexpr std::int64_t active_list = most_active + 16;

/// Scratch of an E-step that goes on with the topics a document uses. Pointers are on 64-byte boundaries.
template <typename Real>
struct ActiveTopics {
  std::int32_t* topics;  ///< [active_list] which
  Real* rows;            ///< [words / 16 rounded up, active topics, 16] β', words side by side
  Real* ratios;          ///< [words rounded up to 16]
  Real* alpha;           ///< [most_active] each
  Real* gamma;
  Real* theta;
  Real* sums;
};

/// One document for `Kernel::fit`. Vectors over topics are padded to `stride` elements; pointers to them are
/// on 64-byte boundaries.
template <typename Real>
struct FitTask {
  std::int64_t stride;
  std::int64_t topics;
  std::int64_t words;       ///< a multiple of `words_at_once`
  const Real* const* rows;  ///< [words rounded up to 16] β' of each word, [stride], zero from K on
  const Real* totals;       ///< [words] Σ_k β'_nk
  const Real* counts;       ///< [words rounded up to 16], zero for padding
  const Real* alpha;        ///< [stride], 1 from K on
  Real* gamma;              ///< [stride] start, alike for all k, and result; 1 from K on
  Real* theta;              ///< [stride] out: θ' of the result
  Real* ratios;             ///< [words] out: c_n / norm_n of the result
  Real* norms;              ///< [words] out: Σ_k θ'_k β'_nk of the result
  Real* sums;               ///< [stride] scratch
  Real tolerance;
  std::int64_t max_iterations;
  ActiveTopics<Real>* active;  ///< null: every iteration goes over all topics
  bool wants_norms;            ///< else θ', ratios and norms are left as they were on the way
};

template <typename Real>
struct FitResult {
  std::int64_t iterations;
  Real smallest_norm;  ///< of all iterations but the first, whose norms are totals of rows
  Real largest_theta;  ///< of the result; without its norms, of the last iteration, 0 if that was the first
};

template <typename Real>
struct DirichletSums {
  Real log_gamma;
  Real excess;
};

/// Of a word's β'.
template <typename Real>
struct LargestAndTotal {
  Real largest;
  Real total;
};

/// One document for `Kernel::fit_collapsed`; padding and boundaries as in `FitTask`.
template <typename Real>
struct CollapsedTask {
  std::int64_t stride;
  std::int64_t topics;
  std::int64_t words;         ///< a multiple of `words_at_once`
  const Real* const* rows;    ///< [words] β̄ of each word, [stride], zero from K on
  const Real* counts;         ///< [words], whole numbers, zero for padding
  const Real* alpha;          ///< [stride], 1 from K on
  const Real* digamma_alpha;  ///< [stride] ψ(α), 0 from K on
  Real* gamma;                ///< [stride] out: α + Σ_n c_n φ_n
  Real* weights;              ///< [words, stride] out: ∝ φ_n, zero from K on
  Real* inverses;             ///< [words] out: 1 / Σ_k weight_nk, what φ_n is that many of
  Real* ratios;               ///< [words] out: c_n / Σ_k weight_nk
  Real* log_theta;            ///< [stride] out: E[ψ(α_k + n_k)]; null: not wanted
  Real* previous;             ///< [stride] scratch
  Real* scratch;              ///< [stride]
  Real tolerance;
  std::int64_t max_iterations;
};

/// One document for `Kernel::add_words`.
template <typename Real>
struct WordSums {
  std::int64_t stride;
  std::span<const std::int32_t> rows;  ///< of its words
  const Real* ratios;                  ///< [words]
  const Real* weights;                 ///< [words, stride]
  std::int32_t* places;                ///< by row: its place in `sums`, −1 for none yet
  Real* sums;                          ///< [places, stride]
  std::int32_t taken;                  ///< how many places are; the next one is that of the next row without
};

/// One word for `Kernel::word_counts`.
template <typename Real>
struct WordTask {
  std::int64_t stride;
  std::int64_t topics;
  std::int64_t documents;
  const std::int32_t* which;  ///< [documents]
  const Real* ratios;         ///< [documents] c / norm of the word there
  const Real* theta;          ///< θ' of document d: [stride] from d · stride on
  const Real* row;            ///< [stride] the word's β'
  Real* out;                  ///< [topics], on no boundary
};

inline constexpr std::int64_t words_at_once = 4;

/// The arithmetic of the E-step for one kind of processor. Results differ between kinds by rounding alone.
/// **Local.**
template <typename Real>
struct Kernel {
  const char* name;  ///< "AVX-512", "AVX2", "portable"

  /// row_k = exp(ψ(offset_k + scale·data_k)) factor_k for k < topics, 0 up to stride.
  LargestAndTotal<Real> (*topic_row)(std::int64_t topics, std::int64_t stride, const Real* data, Real scale,
                                     const Real* offsets, const Real* factors, Real* row);
  /// The same with (offset_k + scale·data_k) factor_k.
  void (*mean_row)(std::int64_t topics, std::int64_t stride, const Real* data, Real scale,
                   const Real* offsets, const Real* factors, Real* row);
  /// Hoffman, Blei, Bach 2010, algorithm 1, without forming φ: γ_k = α_k + θ'_k Σ_n c_n β'_nk / norm_n until
  /// the mean over k of |Δγ_k| falls below the tolerance. Of the first iteration, θ' being alike for all
  /// topics, norm_n = θ' Σ_k β'_nk.
  ///
  /// With `active`, iterations over all topics alternate with series of them over the topics that hold more
  /// than a tenth of the tolerance of tokens, as soon as these are at most half. The last is always over all
  /// topics, and the tolerance is judged there.
  FitResult<Real> (*fit)(const FitTask<Real>& task);
  /// Collapsed variational Bayes of order zero: φ_nk ∝ β̄_nk (γ_k − φ_nk), the token itself left out of the
  /// document's counts, until the mean over k of |Δγ_k| falls below the tolerance; how many iterations. In
  /// each, every `words_at_once` words see those before them.
  std::int64_t (*fit_collapsed)(const CollapsedTask<Real>& task);
  /// norm_n = Σ_k γ_k row_nk of `words` words, a multiple of `words_at_once`.
  void (*mixtures)(std::int64_t stride, std::int64_t words, const Real* const* rows, const Real* gamma,
                   Real* norms);
  /// Σ_k ln Γ(γ_k) − ln Γ(α_k) and Σ_k (γ_k − α_k) ψ(γ_k): topics that a document does not use add nothing,
  /// not even rounding, nor do the elements from K on.
  DirichletSums<Real> (*dirichlet_sums)(std::int64_t stride, const Real* gamma, const Real* alpha);
  /// sums += ratio_n weight_n at the place of each word n, in their order; returns how many places are taken.
  std::int32_t (*add_words)(const WordSums<Real>& task);
  /// out_k = row_k Σ_d ratio_d θ'_dk, the documents in their order: a word's expected counts, Σ_d c φ.
  void (*word_counts)(const WordTask<Real>& task);
  /// out_k = Σ_i parts_ik.
  void (*add_parts)(std::int64_t topics, std::span<const Real* const> parts, Real* out);
};

/// Those this processor can run, the fastest first; never empty.
template <typename Real>
std::span<const Kernel<Real>> kernels();

}  // namespace svi::lda
