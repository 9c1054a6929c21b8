#include "svi/core/lazy_rows.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <algorithm>
#include <span>

#include "svi/base/cpu_versions.hpp"
#include "svi/base/prefetch.hpp"
#include "svi/core/parallel.hpp"

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

// Each row of the block to its own of the data, which lie at random: the next few are asked for in advance.
template <typename Real>
SVI_INLINE void add_rows_body(std::span<const std::int32_t> rows, std::int64_t columns, Real factor,
                              const Real* values, Real* data, double* sums) {
  constexpr std::size_t rows_ahead = 4;
  for (std::size_t i = 0; i < rows.size(); ++i, values += columns) {
    if (i + rows_ahead < rows.size()) prefetch<Access::write>(data + rows[i + rows_ahead] * columns, columns);
    add_row(columns, factor, values, data + rows[i] * columns, sums);
  }
}

SVI_CPU_VERSIONS void add_rows(std::span<const std::int32_t> rows, std::int64_t columns, float factor,
                               const float* values, float* data, double* sums) {
  add_rows_body(rows, columns, factor, values, data, sums);
}
void add_rows(std::span<const std::int32_t> rows, std::int64_t columns, double factor, const double* values,
              double* data, double* sums) {
  add_rows_body(rows, columns, factor, values, data, sums);
}

// Adds factor·block to the data and their column sums: the latter by parts of so many rows of the whole
// block, one after another, so that they are the same on any number of threads and processes.
template <typename Real>
void add_block(const RowBlock& block, std::int64_t columns, Real factor, Real* data,
               std::vector<double>& sums, SharedWork& shared_work) {
  constexpr std::int64_t part_rows = RowBlock::rows_of_a_sum;
  const std::int64_t whole = block.whole < 0 ? block.size() : block.whole;
  const std::int64_t parts = (whole + part_rows - 1) / part_rows;
  auto* const part_sums = shared_work.array<double>("column sums", parts * columns);
  const std::span<const std::int32_t> rows = block.rows;
  const Real* values = block.values.template const_data_ptr<Real>();
  parallel_parts((block.size() + part_rows - 1) / part_rows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t part = first; part < last; ++part) {
      const std::int64_t begin = part * part_rows;
      const std::int64_t size = std::min(part_rows, block.size() - begin);
      double* const of_part = part_sums + (block.first / part_rows + part) * columns;
      std::fill_n(of_part, columns, 0.0);
      add_rows(rows.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size)), columns, factor,
               values + begin * columns, data, of_part);
    }
  });
  shared_work.meet();
  for (std::int64_t part = 0; part < parts; ++part) {
    for (std::int64_t k = 0; k < columns; ++k)
      sums[static_cast<std::size_t>(k)] += part_sums[part * columns + k];
  }
  shared_work.meet();  // nobody writes the next ones before all have read these
}

// This process' part of the rows.
at::Tensor part_of(const at::Tensor& data, const SharedWork& shared_work) {
  const Part part = shared_work.part(data.size(0));
  return data.narrow(0, part.first, part.size());
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

void blend(const at::Tensor& data, LazyScale& lazy, double rho, const RowBlock& target,
           SharedWork* shared_work) {
  SharedWork alone;
  SharedWork& work = shared_work == nullptr ? alone : *shared_work;
  if (rho >= 1) {
    part_of(data, work).zero_();
    work.meet();
    std::fill(lazy.sums.begin(), lazy.sums.end(), 0.0);
    lazy.scale = 1;
    lazy.offset = 0;
  } else {
    lazy.scale *= 1 - rho;
    lazy.offset *= 1 - rho;
  }
  lazy.offset += rho * target.offset;
  AT_DISPATCH_FLOATING_TYPES(data.scalar_type(), "blend", [&] {
    add_block(target, data.size(1), static_cast<scalar_t>(rho * target.factor / lazy.scale),
              data.mutable_data_ptr<scalar_t>(), lazy.sums, work);
  });
  if (lazy.scale >= smallest_scale) return;
  part_of(data, work).mul_(lazy.scale);
  work.meet();
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
