#pragma once

#include <cstdint>
#include <span>

namespace svi::matrix {

/// What products are made of: a number, or two of bfloat16, of which the first has the lower address.
using Pair = std::uint32_t;

/// C = A·B or C = A·Bᵀ. Strides are in units of what the pointers point to; pairs hold two neighbours
/// in the direction that is summed over, of which `depth` then counts half.
template <typename Unit>
struct ProductTask {
  std::int64_t rows;     ///< of C
  std::int64_t columns;  ///< of C
  std::int64_t depth;    ///< terms of each sum
  const Unit* a;
  std::int64_t a_row;    ///< stride from row to row of A
  std::int64_t a_depth;  ///< and from term to term
  const Unit* b;
  std::int64_t b_stride;  ///< from row to row of B, whose elements lie side by side
  float* c;               ///< overwritten
  std::int64_t c_stride;
};

/// A number of A that is not zero: its term, counted within its block, and above 32 bits the bits of its Unit.
using Nonzero = std::uint64_t;

/// Those of a factor A, row by row in blocks of `terms` neighbours, each block from a place of its own on: the first
/// `count[row, block]` of `found[row, block · terms + …]`.
struct Nonzeros {
  std::int64_t terms;   ///< of a block; the kernel's
  std::int64_t pitch;   ///< from row to row of `found`: the depth, rounded up to whole blocks
  std::int32_t* count;  ///< [rows, pitch / terms]
  Nonzero* found;       ///< [rows, pitch]
};

/// Products of a factor many of whose numbers are zero, such as pixels, counts and rectified units: only the others are
/// multiplied. With a finite B the result is that of `times`, to the bit.
template <typename Unit>
struct NonzeroKernel {
  std::int64_t terms;  ///< of a block
  /// How many of [size] are not zero.
  std::int64_t (*count)(const Unit* values, std::int64_t size);
  /// Of rows [first, last) of the task's A. @param found see Nonzeros, with room for all of A
  void (*find)(const ProductTask<Unit>& task, std::int64_t first, std::int64_t last, const Nonzeros& found);
  /// C = A·B. @param a what `find` found in all rows of A; the task's own `a` is not looked at
  void (*times)(const ProductTask<Unit>& task, const Nonzeros& a);
};

/// Matrix products for one kind of processor.
///
/// Every element of C is summed up by itself, in the order of terms (`times_transposed`: of terms that are a vector's
/// length apart, and those sums then in pairs): its bits depend on its own row of A and row or column of B, and not on
/// how many others there are. **Local**, one thread.
struct MatrixKernel {
  const char* name;  ///< "AVX-512", "AVX2", "portable"

  /// C = A·B, B [depth, columns].
  void (*times)(const ProductTask<float>& task);
  /// C = A·Bᵀ, B [columns, depth]; `a_depth` is 1.
  void (*times_transposed)(const ProductTask<float>& task);
  NonzeroKernel<float> nonzeros;
};

/// The same with factors in bfloat16, for processors that multiply its pairs, and what rounds numbers [rows, columns]
/// and pairs them: to the nearest, ties to even, denormal numbers to zero. An odd one out is paired with zero.
struct PairKernel {
  void (*times)(const ProductTask<Pair>& task);
  NonzeroKernel<Pair> nonzeros;
  /// [rows, columns / 2 rounded up]: neighbours in a row.
  void (*pair_columns)(const float* from, std::int64_t rows, std::int64_t columns, Pair* to);
  /// The transpose of that, [columns / 2 rounded up, rows].
  void (*pair_transposed)(const float* from, std::int64_t rows, std::int64_t columns, Pair* to);
  /// [rows / 2 rounded up, columns]: neighbours in a column.
  void (*pair_rows)(const float* from, std::int64_t rows, std::int64_t columns, Pair* to);
};

/// Those this processor can run, the fastest first; never empty.
std::span<const MatrixKernel> matrix_kernels();
/// Null where the processor has no products of bfloat16.
const PairKernel* pair_kernel();

}  // namespace svi::matrix
