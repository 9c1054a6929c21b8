#include "svi/core/norm.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <vector>

#include "svi/base/cpu_versions.hpp"
#include "svi/core/parallel.hpp"

namespace svi {

namespace {

// Sums side by side, so that an addition need not wait for the one before.
constexpr std::int64_t lanes = 32;

template <typename Real>
SVI_INLINE double squares_body(std::int64_t size, const Real* values) {
  std::array<double, lanes> sums{};
  std::int64_t i = 0;
  for (; i + lanes <= size; i += lanes) {
#pragma omp simd
    for (std::int64_t j = 0; j < lanes; ++j) {
      const auto value = static_cast<double>(values[i + j]);
      sums[j] += value * value;
    }
  }
  for (; i < size; ++i) sums[0] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// Squares in float32, sixteen of a lane at a time, and those sums in float64: positive numbers, so within 17 roundings of
// 2^−24 of the sum, if none of them leaves float32's range.
SVI_INLINE double quick_squares(std::int64_t size, const float* values) {
  constexpr std::int64_t wide = 2 * lanes;
  constexpr std::int64_t run = 16 * wide;
  std::array<double, wide> sums{};
  std::int64_t i = 0;
  for (; i + run <= size; i += run) {
    std::array<float, wide> of_run{};
    for (std::int64_t k = i; k < i + run; k += wide) {
#pragma omp simd
      for (std::int64_t j = 0; j < wide; ++j) of_run[j] += values[k + j] * values[k + j];
    }
#pragma omp simd
    for (std::int64_t j = 0; j < wide; ++j) sums[j] += static_cast<double>(of_run[j]);
  }
  return std::accumulate(sums.begin(), sums.end(), squares_body(size - i, values + i));
}

SVI_CPU_VERSIONS double squares(std::int64_t size, const float* values) {
  const double quick = quick_squares(size, values);
  // Squares below the range add less than 1e-38 each to it; one above it, or what is no number, shows.
  constexpr double smallest = 1e-20;
  const bool is_right = quick >= smallest && quick <= std::numeric_limits<double>::max();
  return is_right ? quick : squares_body(size, values);
}
SVI_CPU_VERSIONS double squares(std::int64_t size, const double* values) {
  return squares_body(size, values);
}

}  // namespace

double squared_norm(const at::Tensor& values) {
  if (!values.device().is_cpu()) return values.to(at::kDouble).square().sum().item<double>();
  // Blocks of a fixed size, so that threads change no bit.
  constexpr std::int64_t block = 1 << 15;
  const std::int64_t size = values.numel();
  std::vector<double> parts(static_cast<std::size_t>((size + block - 1) / block));
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "squared_norm", [&] {
    const auto* first_value = values.const_data_ptr<scalar_t>();
    parallel_parts(std::ssize(parts), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i)
        parts[static_cast<std::size_t>(i)] =
            squares(std::min(block, size - i * block), first_value + i * block);
    });
  });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

}  // namespace svi
