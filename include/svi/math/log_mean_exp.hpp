#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace svi::math {

/// ln (1/n) Σ exp(x_i) of numbers that come one by one, in float64 and without overflow: the largest so far
/// is taken out of the sum. The same numbers in the same order give the same bits. **Local.**
class LogMeanExp {
 public:
  void add(double x) {
    ++count_;
    if (std::isnan(x)) {
      sum_ = x;
    } else if (x > largest_) {
      sum_ = sum_ * std::exp(largest_ - x) + 1;
      largest_ = x;
    } else if (x > -std::numeric_limits<double>::infinity()) {
      sum_ += std::exp(x - largest_);
    }
  }

  /// −∞ where every x is; NaN where one is, and of none.
  double value() const { return largest_ + std::log(sum_ / static_cast<double>(count_)); }

 private:
  double largest_ = -std::numeric_limits<double>::infinity();
  double sum_ = 0;  // Σ exp(x_i − largest)
  std::int64_t count_ = 0;
};

}  // namespace svi::math
