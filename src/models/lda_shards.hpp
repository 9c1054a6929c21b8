#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "svi/core/minibatch.hpp"
#include "svi/core/shared_work.hpp"

namespace svi::lda {

/// What a document's E-step gave besides its statistics.
struct DocumentFacts {
  double bound = 0;
  double gamma_total = 0;
  std::int64_t iterations = 0;
  bool needs_reference = false;  ///< its responsibilities are beyond the type; ratios and θ' are zero
};

/// One process' documents of a minibatch, in memory that all have in common, and what becomes of them.
/// Entries are given by documents, and once more by words: of each word the documents that have it,
/// ascending, with a number for each. So a word's sum over its documents stays in registers, and whoever has
/// time divides the words; document by document each entry would read and write its word's sums, which lie
/// all over the memory.
template <typename Real>
struct Shard {
  std::int64_t documents = 0;
  std::int64_t entries = 0;
  std::int64_t* starts = nullptr;      ///< [documents + 1] first entries
  std::int32_t* entry_rows = nullptr;  ///< [entries] the word of each, as β' rows
  float* counts = nullptr;             ///< [entries]
  std::int32_t* places = nullptr;      ///< [entries] where it is in the order of words
  std::int32_t* firsts = nullptr;      ///< [words + 1] by words: first entries
  std::int32_t* by_word = nullptr;     ///< [entries] by words: the document
  Real* ratios = nullptr;              ///< [entries] by words: c / norm
  Real* theta = nullptr;               ///< [documents, stride] θ'
  DocumentFacts* facts = nullptr;      ///< [documents]

  std::span<const std::int32_t> rows_of(std::int64_t b) const {
    return {entry_rows + starts[b], static_cast<std::size_t>(starts[b + 1] - starts[b])};
  }
  std::span<const float> counts_of(std::int64_t b) const {
    return {counts + starts[b], static_cast<std::size_t>(starts[b + 1] - starts[b])};
  }
  /// Puts the numbers of document b's entries where they belong.
  void set_ratios(std::int64_t b, std::span<const Real> of_document) const {
    for (std::int64_t i = starts[b]; i < starts[b + 1]; ++i)
      ratios[places[i]] = of_document[static_cast<std::size_t>(i - starts[b])];
  }
  void clear_ratios(std::int64_t b) const {
    for (std::int64_t i = starts[b]; i < starts[b + 1]; ++i) ratios[places[i]] = 0;
  }
};

/// The documents of a step's minibatch on all processes that share work. Who is done with its own takes
/// pieces of others'.
template <typename Real>
class Shards {
 public:
  /// Tells the others how many documents are coming; they know when all have met. **Local**, the
  /// first time **Collective.**
  void announce(SharedWork& work, const CountRows& rows);
  /// Makes room for them. **Collective**, after the processes have met.
  /// @param words β' rows @param stride elements of a document's θ'
  /// @throws AgreedError (bad_config) when a process has 2³¹ entries or more
  void open(std::int64_t words, std::int64_t stride);
  /// Copies this process' documents there and sorts their entries by words; others may now take pieces.
  /// **Local.**
  void fill(const CountRows& rows, std::span<const std::int32_t> entry_rows);

  const Shard<Real>& mine() const { return shards_[static_cast<std::size_t>(rank_)]; }
  const std::vector<Shard<Real>>& all() const { return shards_; }

  struct Piece {
    const Shard<Real>* shard;
    std::int64_t first;
    std::int64_t last;
    bool is_own;
  };
  /// Documents that nobody has taken yet, of this process as long as there are any; none: all are taken.
  /// **Local**, on any thread.
  std::optional<Piece> take();

  /// One was found that needs the reference. **Local**, on any thread.
  void count_reference();
  /// Returns when all documents are done. **Collective.**
  void meet() { work_->meet(); }
  /// Whether any was. **Local**, after the processes have met.
  bool has_references() const;

 private:
  // What a process tells the others.
  struct alignas(64) Notice {
    std::int64_t documents;
    std::int64_t entries;
    std::int64_t references;  // found by this process
    std::int64_t pieces_taken;
    std::int64_t is_filled;  // whether its documents are there
  };

  std::optional<Piece> take_of(std::size_t rank);
  void sort(const Shard<Real>& shard);

  SharedWork* work_ = nullptr;
  std::int64_t rank_ = 0;
  std::int64_t words_ = 0;
  Notice* notices_ = nullptr;  // [processes]
  std::vector<Shard<Real>> shards_;
  std::vector<std::vector<std::int32_t>> next_;  // [threads] scratch: of each word where its next entry goes
};

}  // namespace svi::lda
