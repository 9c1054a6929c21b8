#include "support/thread.hpp"

#include <gtest/gtest.h>

#include "comm/collectives.hpp"

namespace svi::comm::test {

class ThreadRanks : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(, ThreadRanks, testing::Values(1, 2, 3, 4, 5));

TEST_P(ThreadRanks, DoWhatEveryBackendDoes) {
  std::vector<int> calls(static_cast<std::size_t>(GetParam()));
  run_on_threads(GetParam(), [&](Communicator& ranks) {
    ASSERT_EQ(ranks.size(), GetParam());
    ++calls[static_cast<std::size_t>(ranks.rank())];
    all_types_reduce(ranks, {0, 1, 101});
    sums_are_in_rank_order(ranks, 1001);
    operations_overlap(ranks, 1001);
    broadcasts_from_every_root(ranks, 11);
    gathers_in_rank_order(ranks, 11);
    shorthands_work(ranks);
    fails_together(ranks);
    agreed_errors_pass_through(ranks);
    differing_ranks_are_named(ranks);
    blocks_are_taken_in_turns(ranks);
    a_failed_turn_ends_them_all(ranks);
    memory_is_in_common(ranks);
    ranks.barrier("end")->wait();
  });
  EXPECT_EQ(calls, std::vector<int>(static_cast<std::size_t>(GetParam()), 1));
}

TEST(Thread, AFailureWakesTheOthers) {
  const Error error = error_of([] {
    run_on_threads(3, [](Communicator& ranks) {
      if (ranks.rank() == 2) throw Error(ExitCode::bad_data, "row 7");
      ranks.barrier("never complete")->wait();
    });
  });
  EXPECT_STREQ(error.what(), "row 7");
}

TEST(Thread, DifferentOperationsAreAnError) {
  const Error error = error_of([] {
    run_on_threads(2, [](Communicator& ranks) {
      std::vector<double> values(ranks.rank() == 0 ? 2 : 3);
      ranks.all_reduce(buffer_of(std::span(values)), ReduceOperation::sum, "gradient")->wait();
    });
  });
  EXPECT_EQ(error.code(), ExitCode::communication);
}

TEST(Thread, ARankThatNeverJoinsIsATimeout) {
  const Error error = error_of([] {
    run_on_threads(
        2,
        [](Communicator& ranks) {
          if (ranks.rank() == 0) ranks.barrier("lonely")->wait();
        },
        std::chrono::milliseconds(50));
  });
  EXPECT_EQ(error.code(), ExitCode::communication);
  EXPECT_NE(std::string(error.what()).find("lonely"), std::string::npos);
}

}  // namespace svi::comm::test
