#include "svi/core/norm.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <algorithm>
#include <array>
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

SVI_CPU_VERSIONS double squares(std::int64_t size, const float* values) { return squares_body(size, values); }
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
