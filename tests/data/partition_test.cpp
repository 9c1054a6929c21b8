#include "svi/data/partition.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "io/folder.hpp"
#include "svi/base/random.hpp"

namespace svi::data {
namespace {

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> list(static_cast<std::size_t>(count));
  std::iota(list.begin(), list.end(), std::int64_t{0});
  return list;
}

TEST(Partition, ShardsAreTheDocumentedRunsOfRows) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < 101; ++i) rows.push_back(3 * i + i % 2);
  const Partition partition(rows, 7, 1, nullptr);
  EXPECT_EQ(partition.rows(), 101);
  for (std::int64_t s = 0; s < 7; ++s) {
    const auto shard = partition.shard(s);
    const std::vector<std::int64_t> expected(rows.begin() + s * 101 / 7, rows.begin() + (s + 1) * 101 / 7);
    EXPECT_EQ(std::vector<std::int64_t>(shard.begin(), shard.end()), expected);
    EXPECT_EQ(partition.shard_rows(s), std::ssize(expected));
  }
}

// Every way of dealing them out: consecutive, none lost, none twice, the same shards.
TEST(Partition, RanksShareAllRowsWithoutOverlap) {
  for (const std::int64_t count : {0, 1, 5, 64, 1000}) {
    const std::vector<std::int64_t> rows = numbers(count);
    for (std::int64_t ranks = 1; ranks <= 16; ++ranks) {
      const Partition partition(rows, 16, ranks, nullptr);
      std::vector<std::int64_t> together;
      std::int64_t next_shard = 0;
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        const auto [first, last] = partition.shards_of(rank);
        EXPECT_EQ(first, next_shard);
        EXPECT_GT(last, first);
        next_shard = last;
        const auto mine = partition.rows_of(rank);
        together.insert(together.end(), mine.begin(), mine.end());
      }
      EXPECT_EQ(next_shard, 16);
      EXPECT_EQ(together, rows);
    }
  }
}

TEST(Partition, EqualShardsAreDealtEvenly) {
  const Partition partition(numbers(6400), 64, 3, nullptr);
  EXPECT_EQ(partition.shards_of(0), (std::pair<std::int64_t, std::int64_t>{0, 21}));
  EXPECT_EQ(partition.shards_of(1), (std::pair<std::int64_t, std::int64_t>{21, 43}));
  EXPECT_EQ(partition.shards_of(2), (std::pair<std::int64_t, std::int64_t>{43, 64}));
}

TEST(Partition, WeightBalancesRanks) {
  // Row i weighs i: half of the weight lies in the last 29 % of the rows.
  const auto weight_before = [](std::span<const std::int64_t> rows) {
    std::vector<std::int64_t> before;
    for (const std::int64_t row : rows) before.push_back(row * (row - 1) / 2);
    return before;
  };
  constexpr std::int64_t count = 10000;
  const Partition partition(numbers(count), 100, 4, weight_before);
  const double share = count * (count - 1) / 2.0 / 4;
  for (std::int64_t rank = 0; rank < 4; ++rank) {
    const auto mine = partition.rows_of(rank);
    const double weight = std::accumulate(mine.begin(), mine.end(), 0.0);
    EXPECT_NEAR(weight / share, 1.0, 0.04) << rank;  // one shard at the heavy end weighs 8 % of a share
  }
}

TEST(Partition, WeightlessShardsDoNotStopTheCut) {
  const auto weight_before = [](std::span<const std::int64_t> rows) {
    std::vector<std::int64_t> before;  // all weight in rows 0 and 99
    for (const std::int64_t row : rows) before.push_back(row == 0 ? 0 : row <= 99 ? 10 : 20);
    return before;
  };
  const Partition partition(numbers(100), 10, 2, weight_before);
  for (std::int64_t rank = 0; rank < 2; ++rank) EXPECT_FALSE(partition.rows_of(rank).empty());
}

TEST(Partition, MoreRanksThanShardsAreRefused) {
  test::expect_error(ExitCode::bad_config, {"5 ranks", "4 shards", "data.shards"},
                     [] { Partition(numbers(100), 4, 5, nullptr); });
}

TEST(SpreadEvenly, TakesRowsAtEvenDistances) {
  const std::vector<std::int64_t> rows{3, 5, 8, 13, 21, 34, 55};
  EXPECT_EQ(spread_evenly(rows, 3), (std::vector<std::int64_t>{3, 8, 21}));  // places 0, ⌊7/3⌋, ⌊14/3⌋
  EXPECT_EQ(spread_evenly(rows, 7), rows);
  EXPECT_EQ(spread_evenly(rows, 100), rows);
  EXPECT_TRUE(spread_evenly({}, 3).empty());
}

TEST(SplitRows, IsTheDocumentedHash) {
  const HeldOutSplit split = split_rows(20000, 0.1, 7);
  std::vector<std::int64_t> expected;
  for (std::uint64_t row = 0; row < 20000; ++row) {
    if (Philox(7).uniform(Purpose::validation_split, 0, row, 0) < 0.1)
      expected.push_back(static_cast<std::int64_t>(row));
  }
  EXPECT_EQ(split.held_out, expected);
  EXPECT_EQ(split.held_out.size() + split.training.size(), 20000U);
  EXPECT_NEAR(static_cast<double>(split.held_out.size()), 2000, 5 * std::sqrt(1800));
  std::vector<std::int64_t> together;
  std::ranges::merge(split.held_out, split.training, std::back_inserter(together));
  EXPECT_EQ(together, numbers(20000));
  EXPECT_NE(split_rows(20000, 0.1, 8).held_out, expected);
}

TEST(SplitRows, NestsAndEnds) {
  EXPECT_TRUE(split_rows(1000, 0, 1).held_out.empty());
  EXPECT_TRUE(split_rows(1000, 1, 1).training.empty());
  const auto small = split_rows(1000, 0.05, 1).held_out;
  const auto large = split_rows(1000, 0.2, 1).held_out;
  EXPECT_TRUE(std::ranges::includes(large, small));
  const auto longer = split_rows(2000, 0.05, 1).held_out;  // a row's fate does not depend on the others
  EXPECT_TRUE(std::equal(small.begin(), small.end(), longer.begin()));
}

}  // namespace
}  // namespace svi::data
