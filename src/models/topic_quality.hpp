#pragma once

#include <cstdint>
#include <vector>

#include "lda_topics.hpp"
#include "svi/models/model.hpp"

namespace svi::lda {

/// How well topics read, from their likeliest words and from which documents of a reference corpus hold them.
///
/// - `npmi`: mean over pairs of the ten likeliest words (Bouma 2009; Lau, Newman, Baldwin 2014); a pair that
///   never meets counts −1;
/// - `u_mass` (Mimno et al. 2011, eq. 1) as gensim's CoherenceModel takes it: the mean over those pairs of
///   ln((p_ij + 1e-12) / p_j), j the likelier word, 0 where j is in no document. The paper has the sum over
///   pairs of ln((D_ij + 1) / D_j);
/// - `topic_diversity`: the share of distinct words among the 25 likeliest of every topic (Dieng, Ruiz, Blei
///   2020);
/// - `topic_exclusivity`: mean of β_kw / Σ_j β_jw over the ten likeliest words (the exclusivity within FREX,
///   Bischof, Airoldi 2012).
///
/// Words co-occur when both are in a document. All sums are of whole numbers: the figures are the same to the
/// bit for any number of ranks.
class TopicQuality : public Evaluation {
 public:
  explicit TopicQuality(const ParameterSet& parameters);

  SumLayout layout() const override;
  void add(const Minibatch& rows, Sums& sums) override;
  Metrics finish(const Sums& totals) const override;

 private:
  // Shares of documents.
  struct Pair {
    double both = 0;
    double word = 0;
    double likelier = 0;
  };
  static double npmi(const Pair& pair);
  static double u_mass(const Pair& pair);
  std::size_t pairs() const;
  template <typename Measure>
  std::vector<double> of_topics(const Sums& totals, const Measure& measure) const;

  std::int64_t words_per_topic_;
  double diversity_ = 0;
  double exclusivity_ = 0;
  std::vector<std::vector<std::size_t>> top_;  // [K, words_per_topic]: places in `distinct`
  std::size_t distinct_ = 0;
  std::vector<std::int32_t> place_of_word_;  // [V], −1 for words of no topic
  std::vector<std::uint8_t> is_present_;     // [distinct] in the document at hand
};

}  // namespace svi::lda
