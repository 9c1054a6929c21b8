#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "svi/base/random.hpp"
#include "svi/data/partition.hpp"
#include "svi/data/windowed_order.hpp"

namespace svi::data {

/// What a step takes of some shards: places [begin, end) of each shard's order in that epoch.
struct StepPlaces {
  std::int64_t epoch = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> of_shards;
};

/// Names the rows of every step: a pure function of (seed, step), whatever the number of ranks.
///
/// Each epoch every shard s shuffles its n_s rows with a keyed permutation; its j-th row gets the key
/// (j + u_s) / n_s with u_s keyed uniform, and the epoch is all rows in the order of their keys (ties: by
/// shard). An epoch has T = ceil(N / batch) steps; its step t takes places ⌊tN/T⌋ … ⌊(t+1)N/T⌋ − 1: sizes
/// differ by at most one, every row comes once, every minibatch is spread evenly over the shards: shards of
/// equal size differ by at most one row in it. Within a minibatch rows go by shard, then by key.
///
/// The shuffle is Fisher and Yates': for i = n_s − 1 … 1 row i changes places with row
/// below(i + 1; shard_shuffle, epoch, shard, i). With windows the shards' rows go in their order instead, and
/// all else is the same. **Local.**
class Sampler {
 public:
  /// @param batch rows of the global minibatch, 1 … ; more than N counts as N
  /// @param windows null: each shard is shuffled as a whole; else it must outlive the sampler
  /// @param stratum keys the offsets and shuffles besides, so that samplers of several strata of the same
  /// data don't go in step
  /// @throws Error (bad_data) when the partition has no row
  Sampler(const Partition& partition, std::int64_t batch, std::uint64_t seed,
          const WindowedOrder* windows = nullptr, std::uint64_t stratum = 0);

  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  /// S_t: rows of the global minibatch of a step (counted from 0 over all epochs).
  std::int64_t global_rows(std::int64_t step) const;
  /// The file's row numbers that this rank's shards [first, last) give to a step. Costs one shuffle of the
  /// owned shards when the epoch changes.
  std::vector<std::int64_t> rows(std::int64_t step, std::int64_t first_shard, std::int64_t last_shard);
  /// Where those rows stand in the orders of shards [first, last), without making these orders.
  StepPlaces places(std::int64_t step, std::int64_t first_shard, std::int64_t last_shard);

 private:
  /// What of an epoch is worth keeping: the offsets u_s of all shards.
  void enter_epoch(std::int64_t epoch);
  double key(std::size_t shard, std::int64_t row) const;
  /// [shards] how many rows of each shard are among the first `place` of the entered epoch.
  std::vector<std::int64_t> taken_before(std::int64_t place) const;
  std::size_t earliest_untaken(const std::vector<std::int64_t>& taken) const;
  std::size_t latest_taken(const std::vector<std::int64_t>& taken) const;
  void shuffle(std::int64_t epoch, std::int64_t first_shard, std::int64_t last_shard);
  std::vector<std::int64_t> shuffled(std::int64_t epoch, std::int64_t shard) const;

  const Partition& partition_;
  const WindowedOrder* windows_;
  Philox philox_;
  std::uint64_t first_key_;  // of shard 0
  std::int64_t steps_per_epoch_;
  std::vector<std::int64_t> shard_rows_;  // [shards] n_s
  std::int64_t offsets_epoch_ = -1;
  std::vector<double> offsets_;  // [shards] u_s of that epoch
  std::int64_t shuffled_epoch_ = -1;
  std::int64_t shuffled_first_ = 0;
  std::vector<std::vector<std::int64_t>> shuffled_;  // of the owned shards: file row numbers
};

}  // namespace svi::data
