#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lda_kernel.hpp"
#include "lda_topics.hpp"
#include "svi/base/aligned_buffer.hpp"

namespace svi::lda {

/// One document: rows of a TopicRows, and how often each occurs.
struct Document {
  std::span<const std::int32_t> rows;
  std::span<const float> counts;
};

/// How topics and documents are inferred.
enum class Estimator {
  variational,  ///< q(θ), q(z) and q(β) apart: Hoffman, Blei, Bach 2010
  collapsed     ///< θ and β integrated out, to order zero: Asuncion et al. 2009; Foulds et al. 2013
};

struct EStepOptions {
  double alpha = 0.1;               ///< the same for all topics
  std::vector<double> alphas = {};  ///< [K] in its place; empty: `alpha`
  double tolerance = 1e-3;
  std::int64_t max_iterations = 100;
  bool active_topics = true;  ///< see Kernel::fit
  Estimator estimator = Estimator::variational;
};

inline double alpha_of(const EStepOptions& options, std::int64_t topic) {
  return options.alphas.empty() ? options.alpha : options.alphas[static_cast<std::size_t>(topic)];
}

/// A document as kernels take it: pointers to its words' rows, and its counts, padded with words that occur 0
/// times. **Local.**
template <typename Real>
class DocumentLayout {
 public:
  /// The rows of `beta` must stay. @param document with words
  void take(const TopicRows<Real>& beta, const Document& document) {
    words_ = document.rows.size();
    const std::size_t room = (words_ + 15) / 16 * 16;
    rows_.resize(room);
    counts_.resize(room);
    norms_.resize(room);
    for (std::size_t n = 0; n < words_; ++n) {
      counts_.data()[n] = static_cast<Real>(document.counts[n]);
      rows_[n] = beta.row(document.rows[n]);
    }
    // A padding word repeats the first: it adds nothing and its norm is positive.
    for (std::size_t n = words_; n < room; ++n) {
      counts_.data()[n] = 0;
      rows_[n] = rows_[0];
    }
  }

  std::size_t words() const { return words_; }  ///< without padding
  std::int64_t padded_words() const {
    return static_cast<std::int64_t>((words_ + words_at_once - 1) / words_at_once * words_at_once);
  }
  std::size_t room() const { return rows_.size(); }  ///< of buffers: words rounded up to 16
  const Real* const* rows() const { return rows_.data(); }
  const Real* counts() const { return counts_.data(); }
  Real* norms() { return norms_.data(); }  ///< [words] of the document's fit
  const Real* norms() const { return norms_.data(); }

 private:
  std::size_t words_ = 0;
  std::vector<const Real*> rows_;  // [room], as all here
  AlignedBuffer<Real> counts_;     // padding zero
  AlignedBuffer<Real> norms_;
};

/// Σ_k γ_k in float64. **Local.**
double total(std::span<const float> gamma);
double total(std::span<const double> gamma);

/// Σ_n c_n ln norm_n of a fitted document. **Local.**
template <typename Real>
double log_norms(const DocumentLayout<Real>& layout);

}  // namespace svi::lda
