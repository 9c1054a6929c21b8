#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "svi/core/shared_work.hpp"

namespace svi {

/// What stands beside a matrix's data when its decay is applied lazily: value = offset + scale · data.
///
/// A step λ ← (1 − ρ)λ + ρ(offset' + rows), where only some rows differ from offset', then touches those rows
/// and two numbers: its cost follows the minibatch and not the matrix.
struct LazyScale {
  double scale = 1;
  double offset = 0;
  std::vector<double> sums;  ///< Σ over rows of the data [columns]

  bool operator==(const LazyScale&) const = default;
};

/// Values of some rows of a matrix: offset + factor · values; of all other rows: offset. Or a part of such a
/// block, beside those of other processes.
struct RowBlock {
  /// Column sums are taken of so many rows of the whole block at a time: parts of it begin at multiples.
  static constexpr std::int64_t rows_of_a_sum = 256;

  std::vector<std::int32_t> rows;  ///< which rows, ascending
  at::Tensor values;               ///< [rows, columns], on the host
  double factor = 1;
  double offset = 0;
  std::int64_t first = 0;   ///< which row of the whole block the first one is
  std::int64_t whole = -1;  ///< rows of the whole block; −1: it is whole

  std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

/// λ ← (1 − ρ)λ + ρ·target. At ρ = 1 the data are cleared; when the scale falls below 2^−48, which depends on
/// the steps' ρ alone, it is multiplied into the data and the sums are added up anew.
///
/// With shared work the processes have the data in common, each brings its part of the target, and all end
/// with the same data and `lazy`, those of the whole target to the bit. **Local**, of shared work
/// **Collective.**
/// @param data [rows, columns] float32 or float64 @param target values of the data's type @param rho in [0,
/// 1] @param shared_work null: this process on its own
void blend(const at::Tensor& data, LazyScale& lazy, double rho, const RowBlock& target,
           SharedWork* shared_work = nullptr);

/// The same values with scale 1 and offset 0, so that the data are the values themselves. **Local.**
void fold(const at::Tensor& data, LazyScale& lazy);

/// Adds the sums up anew, in float64. **Local.**
void sum_rows(const at::Tensor& data, LazyScale& lazy);

/// Σ over rows of the values [columns].
std::vector<double> column_totals(const at::Tensor& data, const LazyScale& lazy);

}  // namespace svi
