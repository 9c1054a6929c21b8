#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "svi/core/minibatch.hpp"
#include "svi/data/data_file.hpp"

namespace svi::data {

/// The rows of one file that are this rank's, in memory or left in the file. **Local.**
class LocalRows {
 public:
  LocalRows() = default;
  /// Reads the given file rows (ascending, none twice; read in runs, so that nearly contiguous rows cost one
  /// pass).
  /// @throws Error (bad_data), see DataFile::read
  LocalRows(const DataFile& file, std::span<const std::int64_t> rows);
  /// The same rows left where they are: passed over once for the digest, and read again by every `slice`.
  /// `gather` is not for them; see RowStream.
  static LocalRows in_file(std::shared_ptr<const DataFile> file, std::span<const std::int64_t> rows);

  std::int64_t size() const { return static_cast<std::int64_t>(ids_.size()); }
  const std::vector<std::int64_t>& ids() const { return ids_; }

  /// The given file rows (each held here, any order) as a minibatch of `step`. Copies.
  /// @throws Error (internal) when a row is not held here
  Minibatch gather(std::span<const std::int64_t> rows, std::int64_t step) const;
  /// Places [first, last) of `ids()` as a minibatch of `step`. Dense features are a view, not to be changed.
  Minibatch slice(std::int64_t first, std::int64_t last, std::int64_t step) const;

  /// Gives the words of counts other numbers; see `data::renumbered`. `tokens` and the digest stay as they
  /// were.
  void renumber(std::span<const std::int32_t> numbers);

  /// Makes the labels −1 but those of the given file rows (ascending, held here or not). For rows in memory;
  /// the digest stays as it was.
  void hide_labels_but(std::span<const std::int64_t> rows);

  std::int64_t empty_rows() const { return empty_rows_; }  ///< of counts: documents without a word
  double tokens() const { return tokens_; }                ///< of counts: the sum of all counts
  std::int64_t bytes() const;                              ///< held in memory

  /// Σ over rows (mod 2^64, four lanes) of SHA-256(row number, contents): summed over ranks it is the same
  /// for any cut of the file into ranks, and names the data in checkpoints.
  const std::vector<std::uint64_t>& digest_lanes() const { return digest_lanes_; }

 private:
  void take_in(const Rows& rows, std::span<const std::int64_t> ids);
  std::int64_t place_of_row(std::int64_t row) const;

  std::vector<std::int64_t> ids_;
  std::vector<std::int32_t> places_;  // of file row ids_[0] + i: its place in ids_, or −1
  Rows rows_;
  std::shared_ptr<const DataFile> file_;  // null: the rows are in memory
  std::int64_t empty_rows_ = 0;
  double tokens_ = 0;
  std::vector<std::uint64_t> digest_lanes_ = std::vector<std::uint64_t>(4, 0);
};

}  // namespace svi::data
