#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace svi::data {

/// ⌊part · whole / parts⌋ without overflow: where a part begins when a whole is cut evenly.
inline std::int64_t place_of(std::int64_t part, std::int64_t whole, std::int64_t parts) {
  return part * (whole / parts) + part * (whole % parts) / parts;
}

/// At most so many of these, at even distances.
std::vector<std::int64_t> spread_evenly(std::span<const std::int64_t> rows, std::int64_t most);

/// Rows of a file cut into virtual shards, and consecutive shards dealt to ranks.
///
/// Held-out rows leave first; shard s of S has the rows ⌊sN/S⌋ … ⌊(s+1)N/S⌋ − 1 of those that remain, in file
/// order. That is independent of the number of ranks; only who owns a shard depends on it. **Local**, and
/// every rank computes the same.
class Partition {
 public:
  /// @param rows file rows that take part, ascending [N]
  /// @param shards S, @param ranks R ≤ S
  /// @param weight_before weight of the file's rows before a row number; null: every row weighs 1
  /// @throws Error (bad_config) when R > S
  Partition(std::vector<std::int64_t> rows, std::int64_t shards, std::int64_t ranks,
            const std::function<std::vector<std::int64_t>(std::span<const std::int64_t>)>& weight_before);

  std::int64_t rows() const { return static_cast<std::int64_t>(rows_.size()); }  ///< N
  std::int64_t shards() const { return shards_; }
  /// n_s
  std::int64_t shard_rows(std::int64_t shard) const;
  /// The file's row numbers of one shard, ascending.
  std::span<const std::int64_t> shard(std::int64_t shard) const;
  /// The shards [first, last) of a rank; every rank gets a consecutive run, balanced by weight.
  std::pair<std::int64_t, std::int64_t> shards_of(std::int64_t rank) const;
  /// The file's row numbers of all shards of a rank, ascending; possibly none.
  std::span<const std::int64_t> rows_of(std::int64_t rank) const;

 private:
  std::vector<std::int64_t> rows_;
  std::int64_t shards_;
  std::vector<std::int64_t> first_shard_of_rank_;  // [R + 1]
};

/// Splits 0 … rows − 1 by a keyed hash of the row number: held out when uniform(split_seed, row) < fraction.
struct HeldOutSplit {
  std::vector<std::int64_t> training;  ///< ascending
  std::vector<std::int64_t> held_out;  ///< ascending
};
HeldOutSplit split_rows(std::int64_t rows, double fraction, std::uint64_t split_seed);

}  // namespace svi::data
