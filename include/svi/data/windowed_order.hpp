#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "svi/base/random.hpp"
#include "svi/data/partition.hpp"

namespace svi::data {

/// The order of a shard's rows with `data.shuffle: windowed`: random enough to train on, and made of short
/// runs of neighbouring rows, so that a file larger than memory is read in pieces, each about once an epoch.
///
/// A shard of n rows is cut into blocks of consecutive rows, eight to a window, as even as can be. Each epoch
/// its blocks are shuffled; that sequence of rows is cut evenly into W = ceil(n / window_rows) windows; the
/// rows of each window are shuffled. Both shuffles are Fisher and Yates', keyed by (seed, epoch, shard,
/// place): a pure function, the same whoever asks and whether the rows lie in memory or not. **Local.**
class WindowedOrder {
 public:
  /// @param partition must outlive it; @param window_rows of one shard, ≥ 1
  WindowedOrder(const Partition& partition, std::uint64_t seed, std::int64_t window_rows);

  const Partition& partition() const { return partition_; }
  /// W of a shard; 0 where it has no rows.
  std::int64_t windows(std::int64_t shard) const;
  /// Where a window of a shard begins among its places 0 … n.
  std::int64_t first_place(std::int64_t shard, std::int64_t window) const;
  /// The window that a place of a shard, 0 … n − 1, lies in.
  std::int64_t window_at(std::int64_t shard, std::int64_t place) const;

  /// The file's row numbers of a window, in the order in which they are taken.
  std::vector<std::int64_t> window(std::int64_t epoch, std::int64_t shard, std::int64_t window) const;
  /// The same of all windows of a shard in turn: [n].
  std::vector<std::int64_t> shard(std::int64_t epoch, std::int64_t shard) const;

  std::int64_t blocks(std::int64_t shard) const;
  /// The file's row numbers of a block, ascending.
  std::span<const std::int64_t> block(std::int64_t shard, std::int64_t block) const;
  /// How many blocks a window may have rows of, at most.
  std::int64_t most_blocks_a_window(std::int64_t shard) const;

 private:
  std::vector<std::int64_t> order_of_blocks(std::int64_t epoch, std::int64_t shard) const;

  const Partition& partition_;
  Philox philox_;
  std::int64_t window_rows_;
  std::int64_t block_rows_;
};

}  // namespace svi::data
