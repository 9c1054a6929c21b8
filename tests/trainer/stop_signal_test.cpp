// Signals to a process whose step never ends.
#include "svi/trainer/stop_signal.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

namespace svi::trainer {
namespace {

using namespace std::chrono_literals;

struct Arrival {
  std::chrono::milliseconds after{};  // the one before
  int number = 0;
};

constexpr int has_stop_requested = 5;

// A process that gets these signals, and exits when it has outlived them.
pid_t start(const std::vector<Arrival>& arrivals) {
  const pid_t child = fork();
  if (child != 0) return child;
  const StopSignal stop;
  if (stop.is_requested()) _exit(0);
  for (const Arrival& arrival : arrivals) {
    std::this_thread::sleep_for(arrival.after);
    raise(arrival.number);
  }
  _exit(stop.is_requested() ? has_stop_requested : 0);
}

// The signal that a process died of, or else minus its exit code.
int end_of(pid_t child) {
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

TEST(StopSignal, TheSameAgainAfterTwoSecondsEndsTheProcess) {
  const std::vector<int> numbers{SIGINT, SIGTERM, SIGUSR2};
  std::vector<pid_t> children;
  for (const int number : numbers) children.push_back(start({{0ms, number}, {2001ms, number}}));
  for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(end_of(children[i]), numbers[i]);
}

TEST(StopSignal, TheSameAtOnceIsTheFirstToldTwice) {
  for (const int number : {SIGINT, SIGTERM, SIGUSR2}) {
    EXPECT_EQ(end_of(start({{0ms, number}, {0ms, number}, {0ms, number}})), -has_stop_requested) << number;
  }
}

// A job that is asked by one signal and then by another, as at the end of its time, may still save.
TEST(StopSignal, AnotherOneCountsForItself) {
  EXPECT_EQ(end_of(start({{0ms, SIGUSR2}, {2001ms, SIGTERM}})), -has_stop_requested);
}

TEST(StopSignal, TimeRunsFromTheFirst) {
  EXPECT_EQ(end_of(start({{0ms, SIGTERM}, {1001ms, SIGTERM}, {1001ms, SIGTERM}})), SIGTERM);
}

}  // namespace
}  // namespace svi::trainer
