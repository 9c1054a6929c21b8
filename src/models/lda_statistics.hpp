#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lda_inference.hpp"
#include "svi/core/contribution.hpp"
#include "svi/models/model.hpp"

namespace svi::lda {

/// The expected counts Σ_d c_dw φ_dwk of a minibatch, and its part of the bound.
///
/// Documents are fitted first, on any thread; then each word adds up its documents' θ' (collapsed: its
/// occurrences' φ) in document order. So the result does not depend on the number of threads, to the bit.
/// **Local.**
template <typename Real>
class Statistics {
 public:
  explicit Statistics(std::int64_t vocabulary) : inference_(vocabulary) {}

  /// Fills `contribution.rows`, and adds to the terms "bound", "iterations" and "rows"; where α is learned
  /// also to "documents", those with words, and "log_theta", Σ_d E[ln θ_dk].
  void accumulate(const Topics& topics, const EStepOptions& options, const Minibatch& minibatch,
                  const Philox& noise, Contribution& contribution);

 private:
  struct Result {
    double bound = 0;
    std::int64_t iterations = 0;
    double gamma_total = 0;
    std::optional<ReferenceFit> reference;
  };

  void sort_entries_by_word();
  bool is_collapsed() const { return options_.estimator == Estimator::collapsed; }
  void fit_documents(const Minibatch& minibatch, const Philox& noise);
  void fit_collapsed(DocumentFit<Real>& fit, std::int64_t b);
  void add_up_words(const Contribution& contribution, std::span<const std::int32_t> contribution_rows);
  void add_log_theta(Contribution& contribution) const;
  void add_references(Contribution& contribution, std::span<const std::int32_t> contribution_rows);

  EStepOptions options_;
  Inference<Real> inference_;
  AlignedBuffer<Real> theta_;    // [documents, stride] θ'; collapsed: E[ψ(α + n)], where α is learned
  std::vector<Result> results_;  // [documents]
  // Entries sorted by β' row, within a row by document.
  std::vector<std::int32_t> word_starts_;  // [words + 1]
  std::vector<std::int32_t> entries_;      // [entries] which of the minibatch
  std::vector<std::int32_t> documents_;    // [entries]
  // As in the minibatch; threads write apart. Collapsed: counts, and φ.
  std::vector<Real> ratios_;              // [entries]
  AlignedBuffer<Real> responsibilities_;  // [entries, stride]
};

}  // namespace svi::lda
