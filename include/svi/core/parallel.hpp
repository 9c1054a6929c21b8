#pragma once

#include <cstdint>
#include <functional>

namespace svi {

/// Cuts 0 … count − 1 into contiguous parts, one for each thread, and runs `part(first, last)` on them at
/// once. Denormal numbers count as zero in all. Results must not depend on the cuts. The first exception is
/// thrown again here. One caller at a time, and not from within a part: there is one team of threads.
/// **Local.**
void parallel_parts(std::int64_t count,
                    const std::function<void(std::int64_t first, std::int64_t last)>& part);

/// Runs `item(thread, i)` for i = 0 … count − 1, whichever thread is free taking the next: for items of very
/// different cost. @param item thread is 0 … `parallel_threads()` − 1, for buffers of its own. **Local.**
void parallel_items(std::int64_t count, const std::function<void(std::int64_t thread, std::int64_t i)>& item);

std::int64_t parallel_threads();
/// `device.threads`, 1 at first. These threads are not LibTorch's, which wait by spinning: a model that
/// computes on these leaves LibTorch one. **Local**, while none of the above runs.
void set_parallel_threads(std::int64_t threads);

}  // namespace svi
