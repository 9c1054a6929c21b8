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
/// The minibatch is cut into groups of documents, whatever the number of threads. A group adds up its
/// words' counts in the order of its documents, which leaves them in one core's caches; then each word adds
/// up those of the groups in their order. So the result does not depend on the number of threads, to the bit.
/// **Local.**
template <typename Real>
class Statistics {
 public:
  explicit Statistics(std::int64_t vocabulary) : inference_(vocabulary), fits_(inference_) {}
  Statistics(const Statistics&) = delete;  // fits_ refers to inference_
  Statistics& operator=(const Statistics&) = delete;

  /// Fills `contribution.rows`, and adds to the terms "bound", "iterations" and "rows"; where α is learned
  /// also to "documents", those with words, and "log_theta", Σ_d E[ln θ_dk].
  void accumulate(const Topics& topics, const EStepOptions& options, const Minibatch& minibatch,
                  Contribution& contribution);

 private:
  struct Result {
    double bound = 0;
    std::int64_t iterations = 0;
    double gamma_total = 0;
    std::optional<ReferenceFit> reference;
  };

  bool is_collapsed() const { return options_.estimator == Estimator::collapsed; }
  /// What a group of documents adds to its words' sums.
  struct Group {
    std::vector<std::int32_t> places;  // by β' row, −1 where its words are not
    AlignedBuffer<Real> sums;          // [places, stride] Σ c φ, variational before × β'
    std::int32_t taken = 0;
  };

  void clear_groups();
  void fit_documents(const Minibatch& minibatch);
  void add_words(Group& group, std::int64_t b, const Real* ratios, const Real* factors) const;
  void write_counts(const RowBlock& rows) const;
  void add_log_theta(Contribution& contribution) const;
  void add_references(const RowBlock& rows) const;

  EStepOptions options_;
  Inference<Real> inference_;
  DocumentFits<Real> fits_;
  AlignedBuffer<Real> theta_;    // [documents, stride] θ'; collapsed: E[ψ(α + n)], where α is learned
  AlignedBuffer<Real> ratios_;   // [entries] c_n / norm_n; not collapsed
  std::vector<Result> results_;  // [documents]
  std::vector<std::int64_t> group_starts_;  // first documents, and the number of all
  std::vector<Group> groups_;
};

}  // namespace svi::lda
