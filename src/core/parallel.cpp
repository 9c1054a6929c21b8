#include "svi/core/parallel.hpp"

#include <c10/core/thread_pool.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <vector>

#include "svi/base/flush_denormals.hpp"

namespace svi {

namespace {

std::int64_t thread_count = 1;

c10::ThreadPool& pool_of(std::int64_t threads) {
  static std::unique_ptr<c10::ThreadPool> pool;
  if (!pool || static_cast<std::int64_t>(pool->size()) != threads)
    pool = std::make_unique<c10::ThreadPool>(static_cast<int>(threads));
  return *pool;
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
  for (std::int64_t thread = 1; thread < threads; ++thread)
    pool_of(threads - 1).run([&guarded, thread] { guarded(thread); });
  guarded(0);
  if (threads > 1) pool_of(threads - 1).waitWorkComplete();
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
