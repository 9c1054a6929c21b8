#pragma once

#include <cstdint>
#include <vector>

#include "lda.hpp"

namespace svi::lda {

/// Document completion (Wallach et al. 2009) and the bound on held-out documents.
///
/// θ is fitted on the observed half of a document's tokens; p(w) = Σ_k E[θ_k] E[β_kw] predicts the others.
class DocumentCompletion : public Evaluation {
 public:
  DocumentCompletion(Lda& lda, const ParameterSet& parameters, std::uint64_t seed);

  SumLayout layout() const override;
  void add(const Minibatch& rows, Sums& sums) override;
  Metrics finish(const Sums& totals) const override;

 private:
  void predict(const Document& document, std::span<const std::int32_t> words, std::int64_t id,
               std::span<const float> start, Sums& sums);

  Lda& lda_;
  const float* lambda_;
  std::vector<double> totals_;  // Σ_v λ_vk
  double topics_kl_;
  Philox noise_;
  Inference inference_;
};

/// How well topics read: NPMI of their ten likeliest words over documents of the training data (Bouma 2009;
/// Lau, Newman, Baldwin 2014), and the share of distinct words among the 25 likeliest of every topic (Dieng,
/// Ruiz, Blei 2020).
///
/// Words co-occur when both are in a document; a pair that never does counts −1.
class TopicQuality : public Evaluation {
 public:
  TopicQuality(Lda& lda, const ParameterSet& parameters);

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
