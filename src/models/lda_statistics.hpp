#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lda_inference.hpp"
#include "lda_shards.hpp"
#include "svi/core/contribution.hpp"
#include "svi/models/model.hpp"

namespace svi::lda {

/// The expected counts Σ_d c_dw φ_dwk of a minibatch, and its part of the bound.
///
/// Documents are fitted first, in pieces that any thread takes, of any process that shares work; then each
/// word adds up θ' of its documents in their order. So no bit depends on who did what. Collapsed, where a
/// word's part in a document is no product of two factors, groups of documents, whatever the number of
/// threads, add up their words' counts while they are in the cache, and then each word those of the groups.
/// **Local**, of shared work **Collective**.
template <typename Real>
class Statistics {
 public:
  explicit Statistics(std::int64_t vocabulary) : inference_(vocabulary), fits_(inference_) {}
  Statistics(const Statistics&) = delete;  // fits_ refers to inference_
  Statistics& operator=(const Statistics&) = delete;

  /// Fills `contribution.rows`, with all processes' counts where it keeps a part of them, and adds to the
  /// terms "bound", "iterations" and "rows"; where α is learned also to "documents", those with words, and
  /// "log_theta", Σ_d E[ln θ_dk].
  void accumulate(const Topics& topics, const EStepOptions& options, const Minibatch& minibatch,
                  Contribution& contribution);

 private:
  bool is_collapsed() const { return options_.estimator == Estimator::collapsed; }
  /// What a group of documents adds to its words' sums.
  struct Group {
    std::vector<std::int32_t> places;  // by β' row, −1 where its words are not
    AlignedBuffer<Real> sums;          // [places, stride] Σ c φ
    std::int32_t taken = 0;
  };

  void prepare(const Topics& topics, const CountRows& rows, Contribution& contribution);
  void fit_documents();
  void find_references();
  void write_counts(std::span<const Shard<Real>> shards, const RowBlock& rows) const;
  void add_references(const RowBlock& rows) const;
  void clear_groups();
  void fit_documents_collapsed();
  void write_counts_collapsed(const RowBlock& rows) const;
  void add_terms(Contribution& contribution) const;
  void add_log_theta(Contribution& contribution) const;

  EStepOptions options_;
  Inference<Real> inference_;
  DocumentFits<Real> fits_;
  SharedWork alone_;  // where no work is shared
  Shards<Real> shards_;
  std::vector<std::optional<ReferenceFit>> references_;  // [documents] of this process that need them
  // Collapsed.
  std::vector<std::int64_t> group_starts_;  // first documents, and the number of all
  std::vector<Group> groups_;
};

}  // namespace svi::lda
