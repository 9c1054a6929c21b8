#pragma once

#include <cstdint>
#include <vector>

#include "lda.hpp"

namespace svi::lda {

/// Document completion (Wallach et al. 2009) and the bound on held-out documents.
///
/// θ is fitted on the observed half of a document's tokens; p(w) = Σ_k E[θ_k] E[β_kw] predicts the others.
template <typename Real>
class DocumentCompletion : public Evaluation {
 public:
  DocumentCompletion(const Lda& lda, const ParameterSet& parameters, std::uint64_t seed);

  SumLayout layout() const override;
  void add(const Minibatch& rows, Sums& sums) override;
  Metrics finish(const Sums& totals) const override;

 private:
  struct Result {
    double bound = 0;
    double log_likelihood = 0;  // of the predicted half
    double tokens = 0;          // of the predicted half
  };
  Result complete(DocumentFit<Real>& fit, std::int64_t b, std::int64_t id,
                  std::span<const float> start) const;

  const Lda& lda_;
  Topics topics_;
  EStepOptions options_;
  double topics_kl_;
  Philox noise_;
  Inference<Real> inference_;
};

/// How well topics read: NPMI of their ten likeliest words over documents of the training data (Bouma 2009;
/// Lau, Newman, Baldwin 2014), and the share of distinct words among the 25 likeliest of every topic (Dieng,
/// Ruiz, Blei 2020).
///
/// Words co-occur when both are in a document; a pair that never does counts −1.
class TopicQuality : public Evaluation {
 public:
  explicit TopicQuality(const ParameterSet& parameters);

  SumLayout layout() const override;
  void add(const Minibatch& rows, Sums& sums) override;
  Metrics finish(const Sums& totals) const override;

 private:
  double npmi(const Sums& totals, std::size_t topic) const;

  std::int64_t words_per_topic_;
  double diversity_ = 0;
  std::vector<std::vector<std::size_t>> top_;  // [K, words_per_topic]: places in `distinct`
  std::size_t distinct_ = 0;
  std::vector<std::int32_t> place_of_word_;  // [V], −1 for words of no topic
  std::vector<std::uint8_t> is_present_;     // [distinct] in the document at hand
};

}  // namespace svi::lda
