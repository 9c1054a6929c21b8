#include "svi/trainer/stop_signal.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>

namespace svi::trainer {

namespace {

constexpr std::int64_t nanoseconds_apart = 2'000'000'000;

// What the handler may touch wherever it interrupts whichever thread.
struct Kind {
  int number;
  std::atomic<std::int64_t> first_nanoseconds{0};  // when it first came; 0: not yet
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

Kind kinds[] = {{SIGINT}, {SIGTERM}, {SIGUSR2}};

std::int64_t now_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// Calls nothing that is not safe within a signal.
void on_signal(int number) {
  const int error = errno;
  const std::int64_t now = now_nanoseconds();
  std::int64_t first = 0;
  const bool is_first =
      std::ranges::find(kinds, number, &Kind::number)->first_nanoseconds.compare_exchange_strong(first, now);
  if (!is_first && now - first >= nanoseconds_apart) {
    std::signal(number, SIG_DFL);
    std::raise(number);  // held back until this handler returns
  }
  errno = error;
}

}  // namespace

StopSignal::StopSignal() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (Kind& kind : kinds) {
    kind.first_nanoseconds = 0;
    sigaction(kind.number, &action, nullptr);
  }
}

StopSignal::~StopSignal() {
  for (const Kind& kind : kinds) std::signal(kind.number, SIG_DFL);
}

bool StopSignal::is_requested() const {
  return std::ranges::any_of(kinds, [](const Kind& kind) { return kind.first_nanoseconds != 0; });
}

}  // namespace svi::trainer
