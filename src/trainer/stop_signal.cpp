#include "svi/trainer/stop_signal.hpp"

#include <csignal>

namespace svi::trainer {

namespace {

volatile std::sig_atomic_t requested = 0;

void on_signal(int number) {
  if (number == SIGINT && requested != 0) std::signal(SIGINT, SIG_DFL);
  requested = 1;
}

constexpr int stop_signals[] = {SIGINT, SIGTERM, SIGUSR2};

}  // namespace

StopSignal::StopSignal() {
  requested = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : stop_signals) sigaction(number, &action, nullptr);
}

StopSignal::~StopSignal() {
  for (const int number : stop_signals) std::signal(number, SIG_DFL);
}

bool StopSignal::is_requested() const { return requested != 0; }

}  // namespace svi::trainer
