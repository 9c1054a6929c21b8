#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lda_e_step.hpp"
#include "lda_reference.hpp"
#include "svi/base/random.hpp"
#include "svi/core/minibatch.hpp"

namespace svi::lda {

/// E-steps of a minibatch's documents under the topics as they stand. **Local.**
class Inference {
 public:
  Inference(std::int64_t vocabulary, std::int64_t topics, const EStepOptions& options);

  /// Takes λ and finds the distinct words of `rows` with their β' rows.
  /// @param lambda [V, K], kept by reference @param totals Σ_v λ_vk [K]
  void prepare(const float* lambda, std::span<const double> totals, const CountRows& rows);

  /// Row b of the rows given to `prepare`, which must still be there.
  Document document(const CountRows& rows, std::int64_t b) const;
  /// The distinct words, in order of first occurrence: those of the β' rows.
  std::span<const std::int32_t> words() const { return words_; }
  const TopicRows& beta() const { return beta_; }

  /// Where documents start: γ_k uniform about 1 with variance 1/100, keyed by (step, document).
  ///
  /// Hoffman, Blei, Bach 2010, algorithm 2 starts at γ_k = 1 and calls that constant arbitrary; the code they
  /// published with it (onlineldavb) draws Gamma(100, 1/100), of this mean and variance but dearer to draw.
  /// @return [K], until the next call
  std::span<const float> start(const Philox& noise, std::int64_t step, std::int64_t document);

  struct Fit {
    std::vector<float> gamma;  ///< [K]
    double bound = 0;          ///< nats
    std::int64_t iterations = 0;
  };
  /// Fits one document in float32, or by `fit_reference` from λ itself where float32 cannot hold it.
  /// @return until the next call
  const Fit& fit(const Document& document, std::span<const float> start);

  /// Adds the expected counts of the document just fitted: to `sums` [words, stride], still to be multiplied
  /// by β' (see `EStep::add_statistics`), or as they are to `statistics` [V, K] if float64 gave them.
  void add_statistics(const Document& document, float* sums, float* statistics) const;

 private:
  ReferenceFit fit_reference(const Document& document, std::span<const float> start) const;

  EStepOptions options_;
  const float* lambda_ = nullptr;
  std::vector<double> digamma_totals_;     // ψ(Σ_v λ_vk)
  std::vector<std::int32_t> row_of_word_;  // [V], −1 where absent
  std::vector<std::int32_t> words_;
  std::vector<std::int32_t> entry_rows_;  // [entries] the β' row of each entry
  std::vector<float> start_;
  TopicRows beta_;
  EStep e_step_;
  std::optional<ReferenceFit> reference_;  // of the last document, if it needed float64
  Fit fit_;
};

}  // namespace svi::lda
