#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lda_document.hpp"

namespace svi::lda {

/// Where a document's γ_k start, all alike: the first iteration's φ_n are β'_n, normalised, whatever this
/// number is.
inline constexpr float first_gamma = 1;

/// The E-step of one document at a time: Hoffman, Blei, Bach 2010, algorithm 1 without forming φ.
///
/// With θ' = exp(E[ln θ]) and β' = exp(E[ln β]): φ_nk = θ'_k β'_nk / Σ_j θ'_j β'_nj, hence
/// γ_k = α + θ'_k Σ_n c_n β'_nk / norm_n. It starts at γ_k = 1, as the paper's does, and stops when the mean
/// over k of |Δγ_k| falls below the tolerance.
/// **Local**, for one thread at a time.
template <typename Real>
class EStep {
 public:
  EStep(const Kernel<Real>& kernel, std::int64_t topics, const EStepOptions& options);
  /// For the documents to come.
  void set_options(const EStepOptions& options);

  /// What is wanted of a document: γ alone, or what statistics and bound need, too.
  enum class Wanted { gamma, norms };

  /// Fits γ; with Wanted::norms leaves θ' in `theta` [stride], on a 64-byte boundary, which is scratch
  /// otherwise. False when Real cannot hold the document's responsibilities; then use `fit_reference`.
  bool fit(const TopicRows<Real>& beta, const Document& document, Real* theta, Wanted wanted = Wanted::norms);

  std::span<const Real> gamma() const { return {gamma_.data(), static_cast<std::size_t>(topics_)}; }
  std::int64_t iterations() const { return iterations_; }
  /// After Wanted::norms, c_n / norm_n [words]: with θ'_k and β'_nk as factors these are the expected counts.
  std::span<const Real> ratios() const { return {ratios_.data(), layout_.words()}; }
  /// After Wanted::norms, Σ_n c_n ln Σ_k θ'_k β'_nk − KL(q(θ) ‖ p(θ)): this document's part of the bound, φ
  /// being optimal.
  double bound(const TopicRows<Real>& beta, const Document& document) const;

 private:
  Kernel<Real> kernel_;
  std::int64_t topics_;
  std::int64_t stride_;
  EStepOptions options_;
  std::int64_t iterations_ = 0;
  DocumentLayout<Real> layout_;
  double alpha_total_ = 0;     // Σ α_k
  AlignedBuffer<Real> alpha_;  // [stride]
  AlignedBuffer<Real> gamma_;
  AlignedBuffer<Real> sums_;
  AlignedBuffer<Real> totals_;  // [words rounded up to 16] Σ_k β'_nk
  // Of the topics in use; see ActiveTopics.
  std::vector<std::int32_t> active_topics_;
  AlignedBuffer<Real> active_rows_;
  AlignedBuffer<Real> active_numbers_;  // [4, most_active]
  AlignedBuffer<Real> ratios_;
};

}  // namespace svi::lda
