#include "svi/data/windowed_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "data/rows.hpp"
#include "svi/data/sampler.hpp"

namespace svi::data {
namespace {

using test::every_third;

std::vector<std::int64_t> sorted(std::vector<std::int64_t> rows) {
  std::ranges::sort(rows);
  return rows;
}

struct Case {
  std::int64_t rows, shards, window_rows, batch;
};

class Windowed : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Cases, Windowed,
                         testing::Values(Case{10000, 8, 100, 33}, Case{1001, 4, 17, 64}, Case{640, 64, 1, 5},
                                         Case{100, 1, 1000, 7}, Case{997, 3, 8, 400}, Case{5, 64, 2, 2},
                                         Case{4001, 2, 64, 4001}));

TEST_P(Windowed, WindowsTileEachShardAndHoldEachOfItsRowsOnce) {
  const auto [rows, shards, window_rows, batch] = GetParam();
  const Partition partition(every_third(rows), shards, 1, nullptr);
  const WindowedOrder order(partition, 7, window_rows);
  for (std::int64_t shard = 0; shard < shards; ++shard) {
    const auto expected = partition.shard(shard);
    std::vector<std::int64_t> all;
    for (std::int64_t w = 0; w < order.windows(shard); ++w) {
      ASSERT_EQ(order.first_place(shard, w), std::ssize(all));
      const auto window = order.window(3, shard, w);
      ASSERT_LE(std::ssize(window), window_rows);
      for (std::int64_t i = 0; i < std::ssize(window); ++i) {
        ASSERT_EQ(order.window_at(shard, std::ssize(all) + i), w);
      }
      all.insert(all.end(), window.begin(), window.end());
    }
    EXPECT_EQ(order.shard(3, shard), all);
    EXPECT_EQ(sorted(all), std::vector<std::int64_t>(expected.begin(), expected.end()));
  }
}

TEST_P(Windowed, BlocksTileEachShardAndFewOfThemMakeAWindow) {
  const auto [rows, shards, window_rows, batch] = GetParam();
  const Partition partition(every_third(rows), shards, 1, nullptr);
  const WindowedOrder order(partition, 7, window_rows);
  for (std::int64_t shard = 0; shard < shards; ++shard) {
    const auto shard_rows = partition.shard(shard);
    std::vector<std::int64_t> all;
    std::map<std::int64_t, std::int64_t> block_of;
    for (std::int64_t b = 0; b < order.blocks(shard); ++b) {
      for (const std::int64_t row : order.block(shard, b)) {
        block_of[row] = b;
        all.push_back(row);
      }
    }
    ASSERT_EQ(all, std::vector<std::int64_t>(shard_rows.begin(), shard_rows.end()));
    for (std::int64_t w = 0; w < order.windows(shard); ++w) {
      std::set<std::int64_t> blocks;
      for (const std::int64_t row : order.window(2, shard, w)) blocks.insert(block_of[row]);
      EXPECT_LE(std::ssize(blocks), order.most_blocks_a_window(shard));
      EXPECT_LE(std::ssize(blocks), 10);
    }
  }
}

TEST_P(Windowed, EveryRowOnceAnEpochWhateverTheNumberOfRanks) {
  const auto [rows, shards, window_rows, batch] = GetParam();
  const Partition whole(every_third(rows), shards, 1, nullptr);
  const WindowedOrder order_of_whole(whole, 5, window_rows);
  for (const std::int64_t ranks : {1, 2, 3, 4}) {
    if (ranks > shards) continue;
    const Partition partition(every_third(rows), shards, ranks, nullptr);
    const WindowedOrder order(partition, 5, window_rows);
    Sampler alone(whole, batch, 5, &order_of_whole);
    std::vector<Sampler> samplers(static_cast<std::size_t>(ranks), Sampler(partition, batch, 5, &order));
    std::vector<std::int64_t> epoch;
    for (std::int64_t step = 0; step < 2 * alone.steps_per_epoch(); ++step) {
      std::vector<std::int64_t> together;
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        const auto [first, last] = partition.shards_of(rank);
        const auto mine = samplers[static_cast<std::size_t>(rank)].rows(step, first, last);
        together.insert(together.end(), mine.begin(), mine.end());
      }
      ASSERT_EQ(std::ssize(together), alone.global_rows(step));
      ASSERT_EQ(together, alone.rows(step, 0, shards)) << ranks << " ranks, step " << step;
      epoch.insert(epoch.end(), together.begin(), together.end());
      if ((step + 1) % alone.steps_per_epoch() != 0) continue;
      EXPECT_EQ(sorted(std::exchange(epoch, {})), every_third(rows));
    }
  }
}

TEST(WindowedOrder, EveryShardGivesItsShareToEveryMinibatch) {
  const Partition partition(every_third(6400), 64, 1, nullptr);
  const WindowedOrder order(partition, 3, 16);
  Sampler sampler(partition, 128, 3, &order);
  for (std::int64_t step = 0; step < 2 * sampler.steps_per_epoch(); ++step) {
    std::map<std::int64_t, int> count;
    for (const std::int64_t row : sampler.rows(step, 0, 64)) ++count[(row - 1) / 3 / 100];
    for (std::int64_t shard = 0; shard < 64; ++shard) EXPECT_NEAR(count[shard], 2, 1) << step;
  }
}

TEST(WindowedOrder, SeedEpochAndShardChangeIt) {
  const Partition partition(every_third(1000), 2, 1, nullptr);
  const WindowedOrder order(partition, 1, 100);
  const auto places_of_first_shard = [](std::vector<std::int64_t> rows) {
    for (std::int64_t& row : rows) row -= 1500;
    return rows;
  };
  EXPECT_EQ(order.shard(0, 0), WindowedOrder(partition, 1, 100).shard(0, 0));
  EXPECT_NE(order.shard(0, 0), WindowedOrder(partition, 2, 100).shard(0, 0));
  EXPECT_NE(order.shard(0, 0), order.shard(1, 0));
  EXPECT_NE(order.shard(0, 0), places_of_first_shard(order.shard(0, 1)));
  EXPECT_NE(order.shard(0, 0), Sampler(partition, 500, 1).rows(0, 0, 1));
}

// 48 rows in blocks of two, windows of sixteen: over many epochs every row is at every place equally often.
TEST(WindowedOrder, PlacesAreUniformWhereBlocksAreEven) {
  constexpr std::int64_t rows = 48;
  const Partition partition(every_third(rows), 1, 1, nullptr);
  const WindowedOrder order(partition, 11, 16);
  ASSERT_EQ(order.windows(0), 3);
  ASSERT_EQ(order.blocks(0), 24);
  constexpr int epochs = 9600;
  std::vector<std::vector<int>> counts(rows, std::vector<int>(rows, 0));  // [place][row]
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const auto shard = order.shard(epoch, 0);
    for (std::size_t place = 0; place < shard.size(); ++place) {
      ++counts[place][static_cast<std::size_t>(shard[place] / 3)];
    }
  }
  const double expected = static_cast<double>(epochs) / rows;
  for (const auto& place : counts) {
    double chi_square = 0;
    for (const int count : place) chi_square += (count - expected) * (count - expected) / expected;
    EXPECT_LT(chi_square, 105);  // 47 degrees of freedom: p = 2e-6
  }
}

}  // namespace
}  // namespace svi::data
