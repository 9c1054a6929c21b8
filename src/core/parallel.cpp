#include "svi/core/parallel.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "svi/base/flush_denormals.hpp"

namespace svi {

namespace {

std::int64_t thread_count = 1;

// Waits until `value` is no longer `old`, and returns it. A thread that has gone to sleep takes tens of microseconds
// to wake, as long as many a part takes in all: so it looks for a while first. Not longer, since other processes may
// want the core.
template <typename Value>
Value changed_from(Value old, const std::atomic<Value>& value) {
  constexpr std::chrono::microseconds while_awake{100};
  const auto end = std::chrono::steady_clock::now() + while_awake;
  Value now = value.load(std::memory_order_acquire);
  while (now == old && std::chrono::steady_clock::now() < end) {
    for (int look = 0; look < 32 && now == old; ++look) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
      now = value.load(std::memory_order_acquire);
    }
  }
  while (now == old) {
    value.wait(old, std::memory_order_acquire);
    now = value.load(std::memory_order_acquire);
  }
  return now;
}

// Threads that wait for work. c10::ThreadPool and its kin put them to sleep after each: a training step has a dozen
// parts, some of which take no longer than to wake up.
class Team {
 public:
  explicit Team(std::int64_t helpers) {
    for (std::int64_t thread = 1; thread <= helpers; ++thread)
      helpers_.emplace_back([this, thread] { serve(thread); });
  }
  ~Team() {
    start(nullptr);
    for (std::thread& helper : helpers_) helper.join();
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  std::int64_t helpers() const { return std::ssize(helpers_); }

  // Runs work(0) here and work(1) … on the helpers, at once. It must not throw.
  void run(const std::function<void(std::int64_t thread)>& work) {
    start(&work);
    work(0);
    for (std::int64_t busy = busy_; busy > 0;) busy = changed_from(busy, busy_);
  }

 private:
  void start(const std::function<void(std::int64_t)>* work) {
    work_ = work;
    busy_ = helpers();
    ++rounds_;
    rounds_.notify_all();
  }

  void serve(std::int64_t thread) {
    std::uint64_t round = 0;
    while (true) {
      round = changed_from(round, rounds_);
      if (work_ == nullptr) return;
      (*work_)(thread);
      --busy_;
      busy_.notify_all();
    }
  }

  const std::function<void(std::int64_t)>* work_ = nullptr;  // null: no more will come
  std::atomic<std::uint64_t> rounds_ = 0;                    // started so far
  std::atomic<std::int64_t> busy_ = 0;                       // helpers still at this one
  std::vector<std::thread> helpers_;
};

Team& team_of(std::int64_t helpers) {
  static std::unique_ptr<Team> team;
  if (!team || team->helpers() != helpers) {
    team.reset();
    team = std::make_unique<Team>(helpers);
  }
  return *team;
}

// Runs work(0) here and work(1) … on other threads, at once.
void on_threads(const std::function<void(std::int64_t thread)>& work) {
  const std::int64_t threads = parallel_threads();
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(threads));
  const auto guarded = [&](std::int64_t thread) {
    const FlushDenormals for_speed;
    try {
      work(thread);
    } catch (...) {
      failures[static_cast<std::size_t>(thread)] = std::current_exception();
    }
  };
  if (threads == 1) {
    guarded(0);
  } else {
    team_of(threads - 1).run(guarded);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace

std::int64_t parallel_threads() { return thread_count; }

void set_parallel_threads(std::int64_t threads) { thread_count = threads; }

void parallel_parts(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& part) {
  const std::int64_t threads = parallel_threads();
  on_threads([&](std::int64_t thread) { part(thread * count / threads, (thread + 1) * count / threads); });
}

void parallel_items(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& item) {
  std::atomic<std::int64_t> next = 0;
  on_threads([&](std::int64_t thread) {
    for (std::int64_t i = next++; i < count; i = next++) item(thread, i);
  });
}

}  // namespace svi
