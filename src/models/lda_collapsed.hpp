#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lda_document.hpp"

namespace svi::lda {

/// One document after another by collapsed variational Bayes of order zero with the topics as they stand.
///
/// θ is integrated out: φ_nk ∝ β̄_nk (α_k + Σ_m c_m φ_mk − φ_nk), where β̄_nk = E[β_nk] and the token itself is
/// left out (Asuncion, Welling, Smyth, Teh 2009). Foulds, Boyles, DuBois, Smyth, Welling 2013
/// (SCVB0), by whom the topics' steps go, keep no φ, so that it can't be left out; that costs .2 nats a word
/// on package descriptions. Here the documents at hand keep theirs until the step is done. Starts with no
/// tokens counted; each four words see those before them. **Local**, for one thread at a time.
template <typename Real>
class CollapsedFit {
 public:
  CollapsedFit(const Kernel<Real>& kernel, std::int64_t topics, const EStepOptions& options);
  /// For the documents to come.
  void set_options(const EStepOptions& options);

  /// @param log_theta [stride] on a 64-byte boundary, out: E[ψ(α_k + n_k)]; null: not wanted
  void fit(const TopicRows<Real>& beta, const Document& document, Real* log_theta = nullptr);

  // Of the last document, until the next.
  std::span<const Real> gamma() const { return {gamma_.data(), static_cast<std::size_t>(topics_)}; }
  std::int64_t iterations() const { return iterations_; }
  /// c_n φ_nk = ratio_n weight_nk: [words, stride], and
  const Real* weights() const { return weights_.data(); }
  /// [words].
  std::span<const Real> ratios() const { return {ratios_.data(), layout_.words()}; }
  /// Σ_n c_n ln Σ_k E[θ_k] E[β_nk] in nats: of the words that γ was fitted to.
  double log_likelihood();

 private:
  Kernel<Real> kernel_;
  std::int64_t topics_;
  std::int64_t stride_;
  EStepOptions options_;
  std::int64_t iterations_ = 0;
  DocumentLayout<Real> layout_;
  AlignedBuffer<Real> alpha_;  // [stride]
  AlignedBuffer<Real> digamma_alpha_;
  AlignedBuffer<Real> gamma_;
  AlignedBuffer<Real> previous_;
  AlignedBuffer<Real> scratch_;
  AlignedBuffer<Real> inverses_;  // [padded words]
  AlignedBuffer<Real> ratios_;    // [padded words]
  AlignedBuffer<Real> weights_;   // [padded words, stride]
};

}  // namespace svi::lda
