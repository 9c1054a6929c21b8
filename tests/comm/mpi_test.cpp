#include "svi/comm/mpi.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

#include "comm/collectives.hpp"
#include "support/mpi_test.hpp"

namespace svi::comm::test {

using svi::test::world;

// How messages are cut: as in use; in pieces of 64 bytes; every all-reduce by gather, or none.
class MpiMessages : public testing::TestWithParam<MpiOptions> {
 protected:
  void TearDown() override { ranks.close(); }
  Mpi ranks{GetParam()};
};

constexpr std::chrono::duration<double> a_minute{60};

INSTANTIATE_TEST_SUITE_P(, MpiMessages,
                         testing::Values(MpiOptions{a_minute}, MpiOptions{a_minute, 64, 1 << 16},
                                         MpiOptions{a_minute, 72, 0}, MpiOptions{a_minute, 1 << 30, 1 << 30},
                                         MpiOptions{a_minute, 1 << 30, 0}),
                         [](const auto& options) {
                           return "message" + std::to_string(options.param.message_bytes) + "gather" +
                                  std::to_string(options.param.gather_bytes);
                         });

TEST_P(MpiMessages, ReduceEveryTypeAndCount) { all_types_reduce(ranks, {0, 1, 2, 3, 8, 9, 101, 1025}); }

TEST_P(MpiMessages, AddInRankOrder) {
  for (const std::size_t count : {1, 5, 1001, 4099}) sums_are_in_rank_order(ranks, count);
}

TEST_P(MpiMessages, AllowSeveralOperationsUnderWay) {
  for (int repetition = 0; repetition < 20; ++repetition) operations_overlap(ranks, 1003);
}

TEST_P(MpiMessages, BroadcastAndGather) {
  for (const std::int64_t count : {0, 1, 8, 9, 1000}) {
    broadcasts_from_every_root(ranks, count);
    gathers_in_rank_order(ranks, count);
  }
}

TEST(Mpi, ReducesLargeBuffers) {
  reductions_have_closed_forms<float>(world(), 3'000'001);
  operations_overlap(world(), 1'000'003);
  sums_are_in_rank_order(world(), 500'009);
}

TEST(Mpi, NumbersRanks) {
  const auto texts = all_gather_text(world(), std::to_string(world().rank()), "ranks");
  for (std::size_t rank = 0; rank < texts.size(); ++rank) EXPECT_EQ(texts[rank], std::to_string(rank));
  EXPECT_EQ(world().rank_in_node(), world().rank());  // all ranks of this test share a node
  EXPECT_EQ(world().name(), "MPI");
}

TEST(Mpi, AgreesOverTheControlChannel) {
  EXPECT_NE(&world().control(), &world());
  shorthands_work(world());
  fails_together(world());
  agreed_errors_pass_through(world());
  differing_ranks_are_named(world());
}

TEST(Mpi, SharesOutBlocksInTurns) {
  for (int repetition = 0; repetition < 3; ++repetition) {
    blocks_are_taken_in_turns(world());
    a_failed_turn_ends_them_all(world());
  }
}

TEST(Mpi, HasMemoryInCommon) { memory_is_in_common(world()); }

// One rank that may open no more files is enough for none to have any; and all know it.
TEST(Mpi, HasNoMemoryInCommonWhereARankIsRefused) {
  if (world().size() == 1) GTEST_SKIP() << "a rank alone asks for no file";
  for (int refused = 0; refused < 2; ++refused) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    if (world().rank() == refused) {
      const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
      ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    }
    EXPECT_EQ(world().shared_memory(4096, "refused"), nullptr);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_NE(world().shared_memory(4096, "granted"), nullptr);
  }
}

// Data operations of one thread and control operations of another, at the same time.
TEST(Mpi, ServesTwoThreads) {
  constexpr int repetitions = 200;
  std::thread data([] {
    for (int i = 0; i < repetitions; ++i) reductions_have_closed_forms<float>(world(), 20'001);
  });
  for (int i = 0; i < repetitions; ++i)
    EXPECT_EQ(maximum(world(), i + world().rank(), "flag"), i + world().size() - 1);
  data.join();
}

TEST(Mpi, TestDrivesAnOperationToItsEnd) {
  auto values = contribution<double>(world().rank(), 100'001);
  const auto work = world().all_reduce(buffer_of(std::span(values)), ReduceOperation::maximum, "polled");
  while (!work->test()) std::this_thread::yield();
  EXPECT_EQ(values[0], world().size());
  EXPECT_EQ(values[100'000], world().size() + 100'000 % 7);
}

TEST(Mpi, ARankThatDoesNotJoinIsATimeout) {
  Mpi impatient(MpiOptions{.timeout = std::chrono::milliseconds(200)});
  const bool is_first = world().rank() == 0;
  if (is_first && world().size() > 1) {
    const Error error = error_of([&] { impatient.barrier("epoch end")->wait(); });
    EXPECT_EQ(error.code(), ExitCode::communication);
    const std::string message = error.what();
    EXPECT_NE(message.find("epoch end: rank 0 of " + std::to_string(world().size())), std::string::npos)
        << message;
    EXPECT_NE(message.find("0.2 seconds"), std::string::npos) << message;
    EXPECT_NE(message.find("communication.timeout_seconds"), std::string::npos) << message;
  }
  world().barrier("rank 0 has given up")->wait();
  // The barrier that rank 0 gave up still stands in MPI's books: the others must meet it before they close.
  if (!is_first) impatient.barrier("epoch end")->wait();
  impatient.close();
}

TEST(Mpi, RefusesWhatItCannotDo) {
  std::vector<float> values(4);
  const Buffer four = buffer_of(std::span(values));
  Buffer on_gpu = four;
  on_gpu.space = MemorySpace::cuda;
  const Error cuda = error_of([&] { world().all_reduce(on_gpu, ReduceOperation::sum, "gradient"); });
  EXPECT_EQ(cuda.code(), ExitCode::internal);
  EXPECT_NE(std::string(cuda.what()).find("gradient: a buffer in CUDA memory"), std::string::npos);
  EXPECT_EQ(error_of([&] { world().broadcast(four, world().size(), "broadcast"); }).code(),
            ExitCode::internal);
  EXPECT_EQ(
      error_of([&] { world().all_gather(four, buffer_of(std::span(values).first(3)), "gather"); }).code(),
      ExitCode::internal);
}

TEST(Mpi, AClosedOneTakesNoMoreOperations) {
  Mpi ranks(MpiOptions{});
  ranks.close();
  ranks.close();  // twice is once
  EXPECT_EQ(error_of([&] { ranks.barrier("late"); }).code(), ExitCode::internal);
  EXPECT_EQ(error_of([&] { ranks.counter("late"); }).code(), ExitCode::internal);
  EXPECT_EQ(error_of([&] { ranks.shared_memory(64, "late"); }).code(), ExitCode::internal);
  EXPECT_EQ(ranks.size(), world().size());
}

}  // namespace svi::comm::test
