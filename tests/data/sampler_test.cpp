#include "svi/data/sampler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "data/rows.hpp"
#include "io/folder.hpp"

namespace svi::data {
namespace {

using test::every_third;

// The definition, slowly: shuffle each shard, give every row its key, sort them all, cut into steps.
std::vector<std::vector<std::int64_t>> sorted_epoch(const Partition& partition, std::int64_t batch,
                                                    std::uint64_t seed, std::uint64_t epoch) {
  const Philox philox(seed);
  std::vector<std::tuple<double, std::int64_t, std::int64_t, std::int64_t>> keyed;  // key, shard, j, row
  for (std::int64_t s = 0; s < partition.shards(); ++s) {
    const auto shard = partition.shard(s);
    std::vector<std::int64_t> order(shard.begin(), shard.end());
    const auto name = static_cast<std::uint64_t>(s);
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[philox.below(i, Purpose::shard_shuffle, epoch, name, i - 1)]);
    }
    const double offset = philox.uniform(Purpose::shard_offset, epoch, name, 0);
    for (std::int64_t j = 0; j < std::ssize(order); ++j) {
      keyed.emplace_back((static_cast<double>(j) + offset) / static_cast<double>(order.size()), s, j,
                         order[static_cast<std::size_t>(j)]);
    }
  }
  std::ranges::sort(keyed);
  const std::int64_t rows = partition.rows();
  const std::int64_t steps = (rows + batch - 1) / batch;
  std::vector<std::vector<std::int64_t>> result;
  for (std::int64_t t = 0; t < steps; ++t) {
    std::vector<std::int64_t> step;
    for (std::int64_t p = t * rows / steps; p < (t + 1) * rows / steps; ++p) {
      step.push_back(std::get<3>(keyed[static_cast<std::size_t>(p)]));
    }
    result.push_back(step);
  }
  return result;
}

std::vector<std::int64_t> sorted(std::vector<std::int64_t> rows) {
  std::ranges::sort(rows);
  return rows;
}

struct Case {
  std::int64_t rows, shards, batch;
};

class SamplerCases : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Sampler, SamplerCases,
                         testing::Values(Case{1000, 64, 32}, Case{1000, 7, 33}, Case{640, 64, 64},
                                         Case{100, 64, 1}, Case{50, 64, 8}, Case{1, 4, 1}, Case{5, 64, 1000},
                                         Case{997, 1, 10}, Case{4001, 64, 400}, Case{2000, 3, 1999},
                                         Case{64, 64, 5}));

TEST_P(SamplerCases, EqualsTheSortOfAllKeysOverEpochs) {
  const auto [rows, shards, batch] = GetParam();
  const Partition partition(every_third(rows), shards, 1, nullptr);
  Sampler sampler(partition, batch, 42);
  std::int64_t step = 0;
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
    const auto expected = sorted_epoch(partition, batch, 42, epoch);
    ASSERT_EQ(sampler.steps_per_epoch(), std::ssize(expected));
    std::vector<std::int64_t> all;
    for (const auto& minibatch : expected) {
      const auto found = sampler.rows(step, 0, shards);
      ASSERT_EQ(sorted(found), sorted(minibatch)) << step;
      ASSERT_EQ(sampler.global_rows(step), std::ssize(minibatch));
      all.insert(all.end(), found.begin(), found.end());
      ++step;
    }
    EXPECT_EQ(sorted(all), every_third(rows));  // every row once
  }
}

TEST_P(SamplerCases, SizesDifferByAtMostOne) {
  const auto [rows, shards, batch] = GetParam();
  const Partition partition(every_third(rows), shards, 1, nullptr);
  const Sampler sampler(partition, batch, 1);
  std::int64_t total = 0;
  for (std::int64_t t = 0; t < sampler.steps_per_epoch(); ++t) {
    EXPECT_LE(sampler.global_rows(t), batch);
    EXPECT_GE(sampler.global_rows(t), rows / sampler.steps_per_epoch());
    EXPECT_LE(sampler.global_rows(t), rows / sampler.steps_per_epoch() + 1);
    total += sampler.global_rows(t);
  }
  EXPECT_EQ(total, rows);
}

// Ranks in order give exactly what one rank gives, so their rows are disjoint and together the minibatch.
TEST_P(SamplerCases, AnyNumberOfRanksGivesTheSameMinibatches) {
  const auto [rows, shards, batch] = GetParam();
  const Partition whole(every_third(rows), shards, 1, nullptr);
  for (const std::int64_t ranks : {2, 3, 8}) {
    if (ranks > shards) continue;
    const Partition partition(every_third(rows), shards, ranks, nullptr);
    Sampler alone(whole, batch, 5);
    std::vector<Sampler> samplers(static_cast<std::size_t>(ranks), Sampler(partition, batch, 5));
    for (std::int64_t step = 0; step < std::min<std::int64_t>(40, 2 * alone.steps_per_epoch()); ++step) {
      std::vector<std::int64_t> together;
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        const auto [first, last] = partition.shards_of(rank);
        const auto mine = samplers[static_cast<std::size_t>(rank)].rows(step, first, last);
        together.insert(together.end(), mine.begin(), mine.end());
      }
      ASSERT_EQ(together, alone.rows(step, 0, shards)) << ranks << " ranks, step " << step;
    }
  }
}

// A resumed run asks for step k first, an evaluation may ask in any order: the same rows.
TEST(Sampler, AStepDoesNotDependOnTheStepsBefore) {
  const Partition partition(every_third(1000), 16, 1, nullptr);
  Sampler forwards(partition, 30, 9);
  std::vector<std::vector<std::int64_t>> steps;
  for (std::int64_t step = 0; step < 90; ++step) steps.push_back(forwards.rows(step, 0, 16));
  Sampler backwards(partition, 30, 9);
  for (std::int64_t step = 89; step >= 0; --step) {
    ASSERT_EQ(backwards.rows(step, 0, 16), steps[static_cast<std::size_t>(step)]);
  }
  Sampler part(partition, 30, 9);
  part.rows(3, 0, 4);
  const auto tail = part.rows(3, 12, 16);  // other shards of the same epoch, and as many
  ASSERT_GE(steps[3].size(), tail.size());
  EXPECT_TRUE(std::equal(tail.rbegin(), tail.rend(), steps[3].rbegin()));
}

TEST(Sampler, SeedAndEpochChangeTheOrder) {
  const Partition partition(every_third(1000), 16, 1, nullptr);
  Sampler one(partition, 100, 1);
  Sampler two(partition, 100, 2);
  EXPECT_NE(sorted(one.rows(0, 0, 16)), sorted(two.rows(0, 0, 16)));
  EXPECT_NE(sorted(one.rows(0, 0, 16)), sorted(one.rows(10, 0, 16)));
}

std::map<std::int64_t, std::int64_t> rows_of_shards(const std::vector<std::int64_t>& rows,
                                                    const Partition& partition) {
  std::map<std::int64_t, std::int64_t> counts;
  for (std::int64_t s = 0; s < partition.shards(); ++s) {
    const auto shard = partition.shard(s);
    counts[s] =
        std::ranges::count_if(rows, [&](std::int64_t row) { return std::ranges::binary_search(shard, row); });
  }
  return counts;
}

// A minibatch takes the rows with keys in an interval of some length x; of shard s these are the whole
// numbers in an interval of length x·n_s: ⌊x·n_s⌋ or ⌈x·n_s⌉ of them. Equal shards so differ by at most one
// and lie within one of S_t / S. Shards that differ in size by one row add x < 1 to that: within two.
TEST(Sampler, MinibatchesSpreadEvenlyOverShards) {
  for (const auto& [rows, shards, batch, bound] :
       {std::tuple{640, 64, 100, 1.0}, {6400, 64, 128, 1.0}, {6401, 64, 128, 2.0}, {1000, 7, 10, 2.0}}) {
    const Partition partition(every_third(rows), shards, 1, nullptr);
    Sampler sampler(partition, batch, 3);
    for (std::int64_t step = 0; step < 2 * sampler.steps_per_epoch(); ++step) {
      const double mean = static_cast<double>(sampler.global_rows(step)) / static_cast<double>(shards);
      for (const auto& [shard, count] : rows_of_shards(sampler.rows(step, 0, shards), partition)) {
        EXPECT_LE(std::abs(static_cast<double>(count) - mean), bound)
            << "step " << step << ", shard " << shard;
      }
    }
  }
}

// Over many epochs each row is as often first as any other, and any two meet as often as any two.
TEST(Sampler, PlacesAreUniform) {
  constexpr std::int64_t rows = 12;
  const Partition partition(every_third(rows), 2, 1, nullptr);
  Sampler sampler(partition, 1, 11);
  std::vector<std::vector<int>> counts(rows, std::vector<int>(rows, 0));  // [place][row]
  constexpr int epochs = 6000;
  for (std::int64_t step = 0; step < epochs * rows; ++step) {
    const auto row = sampler.rows(step, 0, 2);
    ASSERT_EQ(row.size(), 1U);
    ++counts[static_cast<std::size_t>(step % rows)][static_cast<std::size_t>(row[0] / 3)];
  }
  const double expected = static_cast<double>(epochs) / rows;
  for (const auto& place : counts) {
    double chi_square = 0;
    for (const int count : place) chi_square += (count - expected) * (count - expected) / expected;
    EXPECT_LT(chi_square, 45);  // 11 degrees of freedom: p = 5e-6
  }
}

TEST(Sampler, NoRowsAreRefused) {
  const Partition partition({}, 4, 1, nullptr);
  test::expect_error(ExitCode::bad_data, {"no row is left", "validation.fraction"},
                     [&] { Sampler(partition, 10, 1); });
}

}  // namespace
}  // namespace svi::data
