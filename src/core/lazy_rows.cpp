#include "svi/core/lazy_rows.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <algorithm>

#include "svi/base/cpu_versions.hpp"

namespace svi {

namespace {

constexpr double smallest_scale = 0x1.0p-48;

// row += factor·values, and the same to the sums.
template <typename Real>
SVI_INLINE void add_row(std::int64_t columns, Real factor, const Real* values, Real* row, double* sums) {
#pragma omp simd
  for (std::int64_t k = 0; k < columns; ++k) {
    const Real added = factor * values[k];
    row[k] += added;
    sums[k] += static_cast<double>(added);
  }
}

SVI_CPU_VERSIONS void add_rows(const RowBlock& block, std::int64_t columns, float factor, const float* values,
                               float* data, double* sums) {
  for (std::int64_t r = 0; r < block.size(); ++r)
    add_row(columns, factor, values + r * columns, data + block.rows[static_cast<std::size_t>(r)] * columns,
            sums);
}
void add_rows(const RowBlock& block, std::int64_t columns, double factor, const double* values, double* data,
              double* sums) {
  for (std::int64_t r = 0; r < block.size(); ++r)
    add_row(columns, factor, values + r * columns, data + block.rows[static_cast<std::size_t>(r)] * columns,
            sums);
}

}  // namespace

void sum_rows(const at::Tensor& data, LazyScale& lazy) {
  at::Tensor sums = at::zeros({data.size(1)}, at::kDouble);
  for (const at::Tensor& part : data.split(4096))
    sums.add_(part.sum(0, false, at::kDouble));  // which copies it
  const auto* first = sums.const_data_ptr<double>();
  lazy.sums.assign(first, first + sums.numel());
}

std::vector<double> column_totals(const at::Tensor& data, const LazyScale& lazy) {
  std::vector<double> totals;
  totals.reserve(lazy.sums.size());
  for (const double sum : lazy.sums)
    totals.push_back(lazy.offset * static_cast<double>(data.size(0)) + lazy.scale * sum);
  return totals;
}

void blend(const at::Tensor& data, LazyScale& lazy, double rho, const RowBlock& target) {
  if (rho >= 1) {
    data.zero_();
    std::fill(lazy.sums.begin(), lazy.sums.end(), 0.0);
    lazy.scale = 1;
    lazy.offset = 0;
  } else {
    lazy.scale *= 1 - rho;
    lazy.offset *= 1 - rho;
  }
  lazy.offset += rho * target.offset;
  AT_DISPATCH_FLOATING_TYPES(data.scalar_type(), "blend", [&] {
    add_rows(target, data.size(1), static_cast<scalar_t>(rho / lazy.scale),
             target.values.const_data_ptr<scalar_t>(), data.mutable_data_ptr<scalar_t>(), lazy.sums.data());
  });
  if (lazy.scale >= smallest_scale) return;
  data.mul_(lazy.scale);
  lazy.scale = 1;
  sum_rows(data, lazy);
}

void fold(const at::Tensor& data, LazyScale& lazy) {
  data.mul_(lazy.scale).add_(lazy.offset);
  lazy.scale = 1;
  lazy.offset = 0;
  sum_rows(data, lazy);
}

}  // namespace svi
