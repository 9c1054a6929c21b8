#include "linear_product.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "svi/base/error.hpp"
#include "svi/core/parallel.hpp"

namespace svi {

namespace {

using at::Tensor;
using matrix::Pair;
using matrix::ProductTask;

// C = A·B or A·Bᵀ by `product`; threads share the columns, of which B's are `b_column` apart.
template <typename Unit, typename Product>
void on_threads(const Product& product, const ProductTask<Unit>& task, std::int64_t b_column) {
  constexpr std::int64_t line = 16;  // floats of a cache line, which two threads had better not share
  parallel_parts((task.columns + line - 1) / line, [&](std::int64_t first, std::int64_t last) {
    if (first == last) return;
    ProductTask<Unit> part = task;
    part.columns = std::min(last * line, task.columns) - first * line;
    part.b += first * line * b_column;
    part.c += first * line;
    product(part);
  });
}

// A [rows, depth], or its columns as rows [depth, rows], times B [depth, columns].
template <typename Unit>
ProductTask<Unit> task_of(const Unit* a, bool by_columns, const Unit* b, std::int64_t depth, const Tensor& c) {
  if (!c.is_contiguous()) throw Error(ExitCode::internal, "a product's rows lie apart");
  return {.rows = c.size(0),
          .columns = c.size(1),
          .depth = depth,
          .a = a,
          .a_row = by_columns ? 1 : depth,
          .a_depth = by_columns ? c.size(0) : 1,
          .b = b,
          .b_stride = c.size(1),
          .c = c.mutable_data_ptr<float>(),
          .c_stride = c.size(1)};
}

// [rows, columns] in pairs of neighbours along one of them.
const Pair* paired(void (*pairing)(const float*, std::int64_t, std::int64_t, Pair*), const Tensor& values,
                   AlignedBuffer<Pair>& buffer) {
  const auto rows = static_cast<std::size_t>(values.size(0));
  const auto columns = static_cast<std::size_t>(values.size(1));
  buffer.resize(std::max((rows + 1) / 2 * columns, (columns + 1) / 2 * rows));
  pairing(values.const_data_ptr<float>(), values.size(0), values.size(1), buffer.data());
  return buffer.data();
}

bool takes_kernels(const Tensor& values) { return values.device().is_cpu() && values.scalar_type() == at::kFloat; }

}  // namespace

LinearProduct::LinearProduct(bool in_bfloat16)
    : in_bfloat16_(in_bfloat16), pairs_(in_bfloat16 ? matrix::pair_kernel() : nullptr) {}

// Where no kernel rounds factors as it pairs them: rounded, in the type there is.
Tensor LinearProduct::factor(const Tensor& values) const {
  const bool is_rounded = in_bfloat16_ && !(pairs_ != nullptr && takes_kernels(values));
  return (is_rounded ? values.to(at::kBFloat16).to(values.scalar_type()) : values).contiguous();
}

// C = A·B or, by the columns of A, Aᵀ·B.
void LinearProduct::multiply(const Tensor& a, bool by_columns, const Tensor& b, Tensor c) {
  const Tensor left = factor(a);
  const Tensor right = factor(b);
  const std::int64_t depth = b.size(0);
  if (!takes_kernels(c)) {
    at::mm_out(c, by_columns ? left.t() : left, right);
  } else if (pairs_ != nullptr) {
    const Pair* const of_a = paired(by_columns ? pairs_->pair_rows : pairs_->pair_columns, left, left_);
    const Pair* const of_b = paired(pairs_->pair_rows, right, right_);
    times(*pairs_, task_of(of_a, by_columns, of_b, (depth + 1) / 2, c));
  } else {
    times(matrix::matrix_kernels().front(),
          task_of(left.const_data_ptr<float>(), by_columns, right.const_data_ptr<float>(), depth, c));
  }
}

// C = A·Bᵀ.
void LinearProduct::multiply_transposed(const Tensor& a, const Tensor& b, Tensor c) {
  const Tensor left = factor(a);
  const Tensor right = factor(b);
  const std::int64_t depth = b.size(1);
  if (!takes_kernels(c)) {
    at::mm_out(c, left, right.t());
  } else if (pairs_ != nullptr) {
    const Pair* const of_a = paired(pairs_->pair_columns, left, left_);
    const Pair* const of_b = paired(pairs_->pair_transposed, right, right_);
    on_threads(pairs_->times, task_of(of_a, false, of_b, (depth + 1) / 2, c), 1);
  } else {
    ProductTask<float> task =
        task_of(left.const_data_ptr<float>(), false, right.const_data_ptr<float>(), depth, c);
    task.b_stride = depth;
    on_threads(matrix::matrix_kernels().front().times_transposed, task, depth);
  }
}

// Zeros of A are passed over where they are a third of it or more: each of the others then costs half as much again. The
// bits are the same either way.
template <typename Kernel, typename Unit>
void LinearProduct::times(const Kernel& kernel, const ProductTask<Unit>& task) {
  constexpr std::int64_t narrow = 48;  // columns: too few sums at once
  const auto& nonzeros = kernel.nonzeros;
  const std::int64_t size = task.rows * task.depth;
  if (task.columns <= narrow || nonzeros.count(task.a, size) > size / 3 * 2) return on_threads(kernel.times, task, 1);
  const std::int64_t blocks = (task.depth + nonzeros.terms - 1) / nonzeros.terms;
  const std::int64_t pitch = blocks * nonzeros.terms;
  counts_.resize(static_cast<std::size_t>(task.rows * blocks));
  nonzeros_.resize(static_cast<std::size_t>(task.rows * pitch));
  const matrix::Nonzeros found{nonzeros.terms, pitch, counts_.data(), nonzeros_.data()};
  parallel_parts(task.rows, [&](std::int64_t first, std::int64_t last) { nonzeros.find(task, first, last, found); });
  on_threads([&](const ProductTask<Unit>& part) { nonzeros.times(part, found); }, task, 1);
}

void LinearProduct::forward(const Tensor& x, const Tensor& weight, Tensor& y) { multiply(x, false, weight.t(), y); }

void LinearProduct::backward_weight(const Tensor& gradient, const Tensor& x, Tensor& by_weight) {
  multiply(x, true, gradient, by_weight.t());
}

void LinearProduct::backward_input(const Tensor& gradient, const Tensor& weight, Tensor& by_input) {
  multiply_transposed(gradient, weight.t(), by_input);
}

}  // namespace svi
