#include "svi/core/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

class Threads : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { svi::set_parallel_threads(GetParam()); }
  void TearDown() override { svi::set_parallel_threads(1); }
};

TEST_P(Threads, PartsCoverEverythingOnce) {
  for (const std::int64_t count : {0, 1, 3, 1000}) {
    std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
    svi::parallel_parts(count, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    for (const auto& times : visits) EXPECT_EQ(times, 1);
  }
}

// Every part waits for all others to have begun, which parts that run one after another never would.
TEST_P(Threads, PartsRunAtOnce) {
  std::atomic<int> begun = 0;
  std::atomic<int> met = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  svi::parallel_parts(100, [&](std::int64_t, std::int64_t) {
    ++begun;
    while (begun < GetParam() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    if (begun == GetParam()) ++met;
  });
  EXPECT_EQ(met, GetParam());
}

TEST_P(Threads, ItemsComeOnceEachOnAThreadOfItsOwn) {
  std::vector<std::atomic<int>> visits(1000);
  std::vector<std::atomic<int>> busy(static_cast<std::size_t>(svi::parallel_threads()));
  std::atomic<bool> shared = false;
  svi::parallel_items(1000, [&](std::int64_t thread, std::int64_t i) {
    if (busy.at(static_cast<std::size_t>(thread))++ != 0) shared = true;
    ++visits[static_cast<std::size_t>(i)];
    --busy[static_cast<std::size_t>(thread)];
  });
  for (const auto& times : visits) EXPECT_EQ(times, 1);
  EXPECT_FALSE(shared);
}

TEST_P(Threads, DenormalNumbersCountAsZeroInAll) {
  std::vector<float> squares(64, 1);
  svi::parallel_parts(64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      volatile float small = 1e-30F;
      squares[static_cast<std::size_t>(i)] = small * small * 1e25F;  // 1e-60 is below all float32
      small = std::numeric_limits<float>::min();
      squares[static_cast<std::size_t>(i)] += small * 0.5F;
    }
  });
  for (const float square : squares) EXPECT_EQ(square, 0);
}

// Helpers look for work for a while and then sleep: whether they are found at either, none is left out or run twice.
TEST_P(Threads, ServeManyInARowAndAfterAPause) {
  std::atomic<std::int64_t> parts = 0;
  for (int round = 0; round < 5000; ++round) {
    if (round % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    svi::parallel_parts(100, [&](std::int64_t first, std::int64_t last) { parts += last - first; });
    ASSERT_EQ(parts, 100 * (round + 1));
  }
}

TEST_P(Threads, MayChangeInNumber) {
  for (const std::int64_t threads : {3, 1, 2, 3}) {
    svi::set_parallel_threads(threads);
    std::atomic<int> parts = 0;
    svi::parallel_parts(100, [&](std::int64_t, std::int64_t) { ++parts; });
    EXPECT_EQ(parts, threads);
  }
}

TEST_P(Threads, AnExceptionComesBack) {
  EXPECT_THROW(svi::parallel_parts(10, [](std::int64_t, std::int64_t) { throw std::runtime_error("no"); }),
               std::runtime_error);
}

INSTANTIATE_TEST_SUITE_P(Counts, Threads, testing::Values(1, 2, 4));

}  // namespace
