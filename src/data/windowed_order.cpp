#include "svi/data/windowed_order.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "svi/base/error.hpp"

namespace svi::data {

namespace {

constexpr std::int64_t blocks_a_window = 8;

std::int64_t parts_of(std::int64_t rows, std::int64_t most) { return (rows + most - 1) / most; }

// Fisher and Yates' shuffle; draws are named by places, `first` being that of the first value.
void shuffle(std::span<std::int64_t> values, const Philox& philox, Purpose purpose, std::int64_t epoch,
             std::int64_t shard, std::int64_t first) {
  for (std::size_t i = values.size(); i-- > 1;) {
    const std::uint64_t other =
        philox.below(i + 1, purpose, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(shard),
                     static_cast<std::uint64_t>(first) + i);
    std::swap(values[i], values[other]);
  }
}

}  // namespace

WindowedOrder::WindowedOrder(const Partition& partition, std::uint64_t seed, std::int64_t window_rows)
    : partition_(partition),
      philox_(seed),
      window_rows_(window_rows),
      block_rows_(parts_of(window_rows, blocks_a_window)) {
  if (window_rows < 1) throw Error(ExitCode::internal, "a window of {} rows", window_rows);
}

std::int64_t WindowedOrder::windows(std::int64_t shard) const {
  return parts_of(partition_.shard_rows(shard), window_rows_);
}

std::int64_t WindowedOrder::blocks(std::int64_t shard) const {
  return parts_of(partition_.shard_rows(shard), block_rows_);
}

std::int64_t WindowedOrder::first_place(std::int64_t shard, std::int64_t window) const {
  return place_of(window, partition_.shard_rows(shard), windows(shard));
}

// The largest w with ⌊wn/W⌋ ≤ place.
std::int64_t WindowedOrder::window_at(std::int64_t shard, std::int64_t place) const {
  return parts_of((place + 1) * windows(shard), partition_.shard_rows(shard)) - 1;
}

std::span<const std::int64_t> WindowedOrder::block(std::int64_t shard, std::int64_t block) const {
  const auto rows = partition_.shard(shard);
  const std::int64_t first = place_of(block, std::ssize(rows), blocks(shard));
  const std::int64_t last = place_of(block + 1, std::ssize(rows), blocks(shard));
  return rows.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
}

// A window begins and ends somewhere in a block; both it and blocks are even within one row.
std::int64_t WindowedOrder::most_blocks_a_window(std::int64_t shard) const {
  const std::int64_t rows = partition_.shard_rows(shard);
  if (rows == 0) return 0;
  const std::int64_t most_rows = parts_of(rows, windows(shard));
  const std::int64_t fewest_in_block = std::max<std::int64_t>(1, rows / blocks(shard));
  return std::min(blocks(shard), parts_of(most_rows, fewest_in_block) + 1);
}

std::vector<std::int64_t> WindowedOrder::order_of_blocks(std::int64_t epoch, std::int64_t shard) const {
  std::vector<std::int64_t> order(static_cast<std::size_t>(blocks(shard)));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  shuffle(order, philox_, Purpose::block_shuffle, epoch, shard, 0);
  return order;
}

std::vector<std::int64_t> WindowedOrder::window(std::int64_t epoch, std::int64_t shard,
                                                std::int64_t window) const {
  const std::int64_t begin = first_place(shard, window);
  const std::int64_t end = first_place(shard, window + 1);
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(end - begin));
  std::int64_t place = 0;  // of the block's first row
  for (const std::int64_t number : order_of_blocks(epoch, shard)) {
    const auto block_rows = block(shard, number);
    const std::int64_t first = std::clamp(begin - place, std::int64_t{0}, std::ssize(block_rows));
    const std::int64_t last = std::clamp(end - place, std::int64_t{0}, std::ssize(block_rows));
    rows.insert(rows.end(), block_rows.begin() + first, block_rows.begin() + last);
    place += std::ssize(block_rows);
  }
  shuffle(rows, philox_, Purpose::window_shuffle, epoch, shard, begin);
  return rows;
}

std::vector<std::int64_t> WindowedOrder::shard(std::int64_t epoch, std::int64_t shard) const {
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(partition_.shard_rows(shard)));
  for (std::int64_t w = 0; w < windows(shard); ++w) {
    const auto part = window(epoch, shard, w);
    rows.insert(rows.end(), part.begin(), part.end());
  }
  return rows;
}

}  // namespace svi::data
