#include "svi/data/row_stream.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "data/rows.hpp"
#include "io/folder.hpp"
#include "svi/data/local_rows.hpp"

namespace svi::data {
namespace {

using test::documents;
using test::Folder;

// All but every ninth row, as if those were held out.
std::vector<std::int64_t> training_rows(std::int64_t count) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < count; ++row) {
    if (row % 9 != 4) rows.push_back(row);
  }
  return rows;
}

void expect_equal(const Minibatch& found, const Minibatch& expected) {
  ASSERT_EQ(found.ids, expected.ids);
  ASSERT_EQ(found.step, expected.step);
  ASSERT_EQ(found.rows.index(), expected.rows.index());
  if (const auto* counts = std::get_if<CountRows>(&found.rows)) {
    const auto& others = std::get<CountRows>(expected.rows);
    EXPECT_EQ(counts->starts, others.starts);
    EXPECT_EQ(counts->words, others.words);
    EXPECT_EQ(counts->counts, others.counts);
  } else {
    const auto& dense = std::get<DenseRows>(found.rows);
    const auto& others = std::get<DenseRows>(expected.rows);
    EXPECT_TRUE(at::equal(dense.features, others.features));
    EXPECT_TRUE(at::equal(dense.labels, others.labels));
  }
}

class Streamed : public testing::Test {
 protected:
  void write(bool dense) {
    if (dense) {
      const at::Tensor features = at::arange(1000 * 12).view({1000, 12}).to(at::kFloat);
      write_dense(folder_ / "d.h5", {.features = features, .labels = at::arange(1000) * 3}, {12});
    } else {
      write_counts(folder_ / "d.h5", documents(1000, 30), std::vector<std::string>(30, "w"), {});
    }
    file_ = std::make_shared<DataFile>(folder_ / "d.h5");
  }

  // Step for step what a sampler takes out of memory, in two epochs and a little.
  void expect_same_minibatches(std::int64_t ranks, std::int64_t window_rows, std::int64_t batch) const {
    const Partition partition(training_rows(1000), 8, ranks, nullptr);
    const WindowedOrder order(partition, 5, window_rows);
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      const auto [first, last] = partition.shards_of(rank);
      Sampler sampler(partition, batch, 5, &order);
      const LocalRows all(*file_, partition.rows_of(rank));
      const std::int64_t limit = RowStream::most_bytes(*file_, order, first, last, batch);
      RowStream stream(file_, order, first, last);
      for (std::int64_t step = 0; step < 2 * sampler.steps_per_epoch() + 3; ++step) {
        expect_equal(stream.take(sampler.places(step, first, last), step),
                     all.gather(sampler.rows(step, first, last), step));
        ASSERT_LE(stream.bytes(), limit);
      }
    }
  }

  Folder folder_;
  std::shared_ptr<DataFile> file_;
};

TEST_F(Streamed, CountsAreThoseHeldInMemory) {
  write(false);
  for (const std::int64_t ranks : {1, 3}) {
    for (const std::int64_t window_rows : {1, 10, 16, 500}) expect_same_minibatches(ranks, window_rows, 40);
  }
}

TEST_F(Streamed, DenseRowsAreThoseHeldInMemory) {
  write(true);
  for (const std::int64_t ranks : {1, 3}) expect_same_minibatches(ranks, 20, 33);
}

// A minibatch of all rows, or with rows of several windows of each shard.
TEST_F(Streamed, StepsLargerThanWindows) {
  write(false);
  expect_same_minibatches(2, 4, 300);
  expect_same_minibatches(1, 10, 5000);
}

// 17 rows in 8 shards: shards without rows in most steps.
TEST_F(Streamed, ShardsWithFewRows) {
  write_counts(folder_ / "d.h5", documents(17, 30), std::vector<std::string>(30, "w"), {});
  file_ = std::make_shared<DataFile>(folder_ / "d.h5");
  const Partition partition(std::vector<std::int64_t>{0, 3, 5, 16}, 8, 1, nullptr);
  const WindowedOrder order(partition, 5, 2);
  Sampler sampler(partition, 1, 5, &order);
  const LocalRows all(*file_, partition.rows_of(0));
  RowStream stream(file_, order, 0, 8);
  for (std::int64_t step = 0; step < 12; ++step) {
    expect_equal(stream.take(sampler.places(step, 0, 8), step), all.gather(sampler.rows(step, 0, 8), step));
  }
}

// A resumed run begins anywhere; what is asked for twice is read twice.
TEST_F(Streamed, AnyStepInAnyOrder) {
  write(false);
  const Partition partition(training_rows(1000), 8, 1, nullptr);
  const WindowedOrder order(partition, 5, 16);
  Sampler sampler(partition, 40, 5, &order);
  const LocalRows all(*file_, partition.rows_of(0));
  RowStream stream(file_, order, 0, 8);
  for (const std::int64_t step : {70, 3, 3, 69, 24, 23, 22, 46, 0}) {
    expect_equal(stream.take(sampler.places(step, 0, 8), step), all.gather(sampler.rows(step, 0, 8), step));
  }
}

TEST_F(Streamed, HoldsAFewWindowsOnly) {
  write(false);
  const Partition partition(training_rows(1000), 8, 1, nullptr);
  const WindowedOrder order(partition, 5, 8);
  const std::int64_t limit = RowStream::most_bytes(*file_, order, 0, 8, 16);
  const std::int64_t whole = file_->bytes_of(partition.rows_of(0));
  EXPECT_LT(limit, whole / 2);
  Sampler sampler(partition, 16, 5, &order);
  RowStream stream(file_, order, 0, 8);
  EXPECT_EQ(stream.bytes(), 0);
  for (std::int64_t step = 0; step < 40; ++step) {
    stream.take(sampler.places(step, 0, 8), step);
    EXPECT_GT(stream.bytes(), 0);
    EXPECT_LE(stream.bytes(), limit);
  }
}

// Destroyed before its first step, and while it reads ahead.
TEST_F(Streamed, EndsAtAnyTime) {
  write(false);
  const Partition partition(training_rows(1000), 8, 1, nullptr);
  const WindowedOrder order(partition, 5, 16);
  Sampler sampler(partition, 40, 5, &order);
  for (int i = 0; i < 50; ++i) {
    RowStream stream(file_, order, 0, 8);
    for (int step = 0; step < i % 3; ++step) stream.take(sampler.places(step, 0, 8), step);
  }
}

// The rows that a pass reads and the file that a checkpoint writes, while the thread reads too.
TEST_F(Streamed, OthersUseHdf5Meanwhile) {
  write(false);
  const Partition partition(training_rows(1000), 8, 1, nullptr);
  const WindowedOrder order(partition, 5, 4);
  Sampler sampler(partition, 40, 5, &order);
  const LocalRows all(*file_, partition.rows_of(0));
  const LocalRows in_file = LocalRows::in_file(file_, partition.rows_of(0));
  RowStream stream(file_, order, 0, 8);
  for (std::int64_t step = 0; step < 60; ++step) {
    const Minibatch minibatch = stream.take(sampler.places(step, 0, 8), step);
    expect_equal(in_file.slice(100, 200, step), all.slice(100, 200, step));
    write_counts(folder_ / "other.h5", documents(20, 30), std::vector<std::string>(30, "w"), {});
    EXPECT_EQ(DataFile(folder_ / "other.h5").facts().rows, 20);
    expect_equal(minibatch, all.gather(sampler.rows(step, 0, 8), step));
  }
}

// What goes wrong in the thread is thrown where the rows are asked for, again and again, and nothing hangs.
TEST_F(Streamed, TellsWhatWentWrongInTheThread) {
  write_counts(folder_ / "d.h5", documents(60000, 50), std::vector<std::string>(50, "w"), {});
  file_ = std::make_shared<DataFile>(folder_ / "d.h5");
  const Partition partition(training_rows(60000), 8, 1, nullptr);
  const WindowedOrder order(partition, 5, 512);
  Sampler sampler(partition, 100, 5, &order);
  std::filesystem::resize_file(folder_ / "d.h5", std::filesystem::file_size(folder_ / "d.h5") / 8);
  RowStream stream(file_, order, 0, 8);
  const auto train = [&] {
    for (std::int64_t step = 0; step < sampler.steps_per_epoch(); ++step) {
      stream.take(sampler.places(step, 0, 8), step);
    }
  };
  test::expect_error(ExitCode::bad_data, {"d.h5", "/X/"}, train);
  test::expect_error(ExitCode::bad_data, {"d.h5", "/X/"}, train);
}

TEST_F(Streamed, RowsLeftInTheFileHaveTheDigestOfThoseInMemory) {
  for (const bool dense : {false, true}) {
    write(dense);
    const std::vector<std::int64_t> rows = training_rows(1000);
    const LocalRows all(*file_, rows);
    const LocalRows in_file = LocalRows::in_file(file_, rows);
    EXPECT_EQ(in_file.ids(), rows);
    EXPECT_EQ(in_file.digest_lanes(), all.digest_lanes());
    EXPECT_EQ(in_file.tokens(), all.tokens());
    EXPECT_EQ(in_file.empty_rows(), all.empty_rows());
    EXPECT_LT(in_file.bytes(), all.bytes() / 2);
    expect_equal(in_file.slice(17, 400, 3), all.slice(17, 400, 3));
    EXPECT_THROW(in_file.gather(std::vector<std::int64_t>{0}, 0), Error);
    const std::int64_t held = all.bytes() - 8 * all.size() - 4 * (rows.back() - rows.front() + 1);
    EXPECT_NEAR(static_cast<double>(file_->bytes_of(rows)), static_cast<double>(held), 8);
  }
}

}  // namespace
}  // namespace svi::data
