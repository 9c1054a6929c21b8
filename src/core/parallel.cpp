#include "svi/core/parallel.hpp"

#include <ATen/Parallel.h>

#include <atomic>

#include "svi/base/flush_denormals.hpp"

namespace svi {

std::int64_t parallel_threads() { return at::get_num_threads(); }

void parallel_parts(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& part) {
  const std::int64_t threads = parallel_threads();
  at::parallel_for(0, threads, 1, [&](std::int64_t first, std::int64_t last) {
    const FlushDenormals for_speed;
    for (std::int64_t thread = first; thread < last; ++thread)
      part(thread * count / threads, (thread + 1) * count / threads);
  });
}

void parallel_items(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& item) {
  std::atomic<std::int64_t> next = 0;
  at::parallel_for(0, parallel_threads(), 1, [&](std::int64_t first, std::int64_t last) {
    const FlushDenormals for_speed;
    for (std::int64_t thread = first; thread < last; ++thread) {
      for (std::int64_t i = next++; i < count; i = next++) item(thread, i);
    }
  });
}

}  // namespace svi
