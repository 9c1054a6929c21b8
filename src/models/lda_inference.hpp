#pragma once

#include <cstdint>
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

  /// Where documents start: γ_k uniform about 1 with the mean and variance of the paper's Gamma(100, 1/100),
  /// keyed by (step, document). Deviation: the paper draws from that gamma itself, which costs more.
  std::span<const float> start(const Philox& noise, std::int64_t step, std::int64_t document);

  /// Fits one document in float32. False when that cannot hold it; then `fit_exactly`.
  bool fit(const Document& document, std::span<const float> start) {
    return e_step_.infer(beta_, document, start);
  }
  const EStep& fitted() const { return e_step_; }
  /// Fits it in float64, from λ itself.
  ReferenceFit fit_exactly(const Document& document, std::span<const float> start) const;

  struct Summary {
    std::vector<float> gamma;  ///< [K]
    double bound = 0;          ///< nats
  };
  /// Fits it in whichever precision it needs.
  Summary infer(const Document& document, std::span<const float> start);

 private:
  EStepOptions options_;
  const float* lambda_ = nullptr;
  std::vector<float> digamma_totals_;      // ψ(Σ_v λ_vk)
  std::vector<std::int32_t> row_of_word_;  // [V], −1 where absent
  std::vector<std::int32_t> words_;
  std::vector<std::int32_t> entry_rows_;  // [entries] the β' row of each entry
  std::vector<float> start_;
  TopicRows beta_;
  EStep e_step_;
};

}  // namespace svi::lda
