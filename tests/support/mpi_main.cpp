// The main of every test that runs under mpirun: PROGRAM --expect-ranks=N [GoogleTest's flags].
//
// All ranks run the same tests. Rank 0 reports as GoogleTest does, the others only what fails. A failure on
// any rank fails the job. A rank that fails a test ends the job right after it, since the others would wait
// for it in the next Collective.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "support/mpi_test.hpp"
#include "svi/base/error.hpp"
#include "svi/comm/launch.hpp"

namespace {

std::unique_ptr<svi::comm::Communicator> the_world;

class FailuresOfThisRank final : public testing::EmptyTestEventListener {
  // Remembered, since asking UnitTest for it while it reports a result would lock its mutex twice.
  void OnTestStart(const testing::TestInfo& test) override {
    test_ = fmt::format("{}.{}", test.test_suite_name(), test.name());
  }

  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    fmt::print(stderr, "rank {}: {}:{}: in {}: {}\n", the_world->rank(),
               result.file_name() ? result.file_name() : "?", result.line_number(), test_, result.message());
    std::fflush(stderr);
  }

  std::string test_ = "no test";
};

// Tests start together, and a rank that failed one ends the job.
class KeepRanksTogether final : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo& test) override {
    if (test.result()->Failed()) the_world->abort(svi::ExitCode::internal);
    the_world->control().barrier(test.name())->wait();
  }
};

int expected_ranks(int argc, char** argv) {
  constexpr std::string_view flag = "--expect-ranks=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(flag)) return std::atoi(argument.substr(flag.size()).data());
  }
  return 0;
}

int run_tests(int expected) {
  if (the_world->size() != expected) {
    fmt::print(stderr, "this test wants --expect-ranks={} but runs on {}\n", expected, the_world->size());
    return EXIT_FAILURE;
  }
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (the_world->rank() != 0) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailuresOfThisRank);
  }
  listeners.Append(new KeepRanksTogether);
  const int result = RUN_ALL_TESTS();
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
    fmt::print(stderr, "no test was found to run\n");
    return EXIT_FAILURE;
  }
  return result;
}

}  // namespace

svi::comm::Communicator& svi::test::world() { return *the_world; }

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  try {
    the_world = svi::comm::launch(std::chrono::seconds(120));
    const int result = run_tests(expected_ranks(argc, argv));
    const bool failed = svi::comm::maximum(*the_world, result, "test result") != 0;
    the_world->close();
    the_world.reset();
    svi::comm::finish();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
  } catch (const svi::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    if (the_world) the_world->abort(error.code());
    return static_cast<int>(error.code());
  }
}
