// Work that processes with memory in common share out ends as if one of them did it all, to the bit.
#include "svi/core/shared_work.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

#include "support/sharing_threads.hpp"
#include "svi/base/random.hpp"
#include "svi/core/contribution.hpp"

namespace svi {
namespace {

// A process by its number alone.
class Numbered final : public SharedWork {
 public:
  Numbered(int rank, int size) : rank_(rank), size_(size) {}
  int size() const override { return size_; }
  int rank() const override { return rank_; }

 private:
  int rank_;
  int size_;
};

TEST(SharedWork, PartsFollowOneAnotherAndCoverAll) {
  for (const std::int64_t count : {0, 1, 5, 256, 257, 1000}) {
    for (const std::int64_t unit : {1, 7, 256}) {
      for (int size = 1; size <= 5; ++size) {
        std::int64_t end = 0;
        for (int rank = 0; rank < size; ++rank) {
          const Part part = Numbered(rank, size).part(count, unit);
          EXPECT_EQ(part.first, end);
          EXPECT_GE(part.size(), 0);
          EXPECT_TRUE(part.first == count || part.first % unit == 0);
          end = part.last;
        }
        EXPECT_EQ(end, count);
      }
    }
  }
  EXPECT_EQ(Numbered(1, 4).part(1000).size(), 250);
}

TEST(SharedWork, MemoryIsTheSameForAllAndGrows) {
  for (const int threads : {1, 3}) {
    std::vector<std::byte*> of_thread(static_cast<std::size_t>(threads));
    test::run_sharing(threads, [&](SharedWork& work) {
      const auto rank = static_cast<std::size_t>(work.rank());
      auto* numbers = reinterpret_cast<std::int64_t*>(work.memory("numbers", 24));
      EXPECT_EQ(numbers[rank], 0);
      numbers[rank] = work.rank() + 1;
      work.meet();
      for (int other = 0; other < threads; ++other) EXPECT_EQ(numbers[other], other + 1);
      EXPECT_EQ(work.memory("numbers", 8), reinterpret_cast<std::byte*>(numbers));
      EXPECT_NE(work.memory("others", 24), reinterpret_cast<std::byte*>(numbers));
      const std::shared_ptr<void> kept = work.owner("numbers");
      of_thread[rank] = work.memory("numbers", 1 << 21);
      EXPECT_NE(of_thread[rank], reinterpret_cast<std::byte*>(numbers));
      EXPECT_EQ(of_thread[rank][(1 << 21) - 1], std::byte{0});
      EXPECT_NE(work.memory("none", 0), nullptr);
      EXPECT_EQ(work.owner("never asked for"), nullptr);
    });
    for (const std::byte* first : of_thread) EXPECT_EQ(first, of_thread.front());
  }
}

constexpr std::int64_t rows = 1500;
constexpr std::int64_t columns = 7;

Tensor uniform(std::int64_t number) {
  std::vector<float> values(rows * columns);
  Philox(12).fill_uniform(values, Purpose::test_data, static_cast<std::uint64_t>(number), 0);
  return at::tensor(values, at::kFloat).view({rows, columns});
}

RowBlock block_of(std::int64_t step, at::ScalarType type) {
  const Philox noise(11);
  RowBlock block{.factor = 1.7, .offset = 0.3};
  for (std::int32_t row = 0; row < rows; ++row) {
    if (noise.uniform(Purpose::test_data, static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(row), 0) < 0.7)
      block.rows.push_back(row);
  }
  std::vector<float> values(block.rows.size() * columns);
  noise.fill_uniform(values, Purpose::test_data, static_cast<std::uint64_t>(step), 99);
  block.values = at::tensor(values, at::kFloat).view({block.size(), columns}).to(type);
  return block;
}

RowBlock part_of(const RowBlock& whole, const SharedWork& work) {
  const Part part = work.part(whole.size(), RowBlock::rows_of_a_sum);
  RowBlock block = whole;
  block.rows = {whole.rows.begin() + part.first, whole.rows.begin() + part.last};
  block.values = whole.values.narrow(0, part.first, part.size());
  block.first = part.first;
  block.whole = whole.size();
  return block;
}

// Twenty steps of 0.9, by which the scale is renormalised, one of 1, which clears all, and some more.
TEST(SharedWork, BlendedRowsAreThoseOfOneProcess) {
  const auto rate = [](std::int64_t step) { return step == 22 ? 1.0 : 0.9; };
  constexpr std::int64_t steps = 26;
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const Tensor start = uniform(77).to(type);
    LazyScale first{.offset = 0.3};
    sum_rows(start, first);
    std::vector<RowBlock> blocks;
    for (std::int64_t step = 0; step < steps; ++step) blocks.push_back(block_of(step, type));

    const Tensor alone = start.clone();
    LazyScale of_alone = first;
    bool is_renormalised = false;
    for (std::int64_t step = 0; step < steps; ++step) {
      blend(alone, of_alone, rate(step), blocks[static_cast<std::size_t>(step)]);
      is_renormalised = is_renormalised || (step < 22 && step > 0 && of_alone.scale == 1);
    }
    EXPECT_TRUE(is_renormalised);

    for (const int threads : {1, 2, 3, 4}) {
      const Tensor common = start.clone();
      test::run_sharing(threads, [&](SharedWork& work) {
        LazyScale lazy = first;
        for (std::int64_t step = 0; step < steps; ++step)
          blend(common, lazy, rate(step), part_of(blocks[static_cast<std::size_t>(step)], work), &work);
        EXPECT_EQ(lazy, of_alone) << work.rank() << " of " << threads;
      });
      EXPECT_TRUE(at::equal(common, alone)) << threads;
    }
  }
}

TEST(SharedWork, RowsOfAllAreAddedInTheOrderOfRanks) {
  const std::vector<ParameterShape> shapes{{.name = "lambda", .shape = {rows, columns}, .is_lazy = true}};
  std::vector<std::int32_t> all(rows);
  std::iota(all.begin(), all.end(), 0);
  for (const int threads : {1, 2, 3}) {
    std::vector<Tensor> contributed;
    for (int rank = 0; rank < threads; ++rank) contributed.push_back(uniform(rank));
    Tensor expected = contributed.front().clone();
    for (int rank = 1; rank < threads; ++rank) expected.add_(contributed[static_cast<std::size_t>(rank)]);
    const Tensor found = at::full({rows, columns}, -1, at::kFloat);
    test::run_sharing(threads, [&](SharedWork& work) {
      Contribution contribution(shapes, at::kFloat, {}, &work);
      contribution.clear(all);
      contribution.rows.values.copy_(contributed[static_cast<std::size_t>(work.rank())]);
      contribution.unite_rows();
      EXPECT_EQ(contribution.rows.whole, rows);
      ASSERT_EQ(contribution.rows.values.size(0), contribution.rows.size());
      EXPECT_EQ(contribution.rows.rows.front(), contribution.rows.first) << "each has a part";
      found.narrow(0, contribution.rows.first, contribution.rows.size()).copy_(contribution.rows.values);
      work.meet();  // before the memory of any goes
    });
    EXPECT_TRUE(at::equal(found, expected)) << threads;
  }
}

}  // namespace
}  // namespace svi
