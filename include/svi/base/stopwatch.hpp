#pragma once

#include <chrono>

namespace svi {

/// Seconds since its making, by a clock that never runs backwards. **Local.**
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace svi
