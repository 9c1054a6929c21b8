#include "linear_product.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "matrix_kernel.hpp"
#include "svi/core/parallel.hpp"

namespace svi {

namespace {

using at::Tensor;
using matrix::MatrixKernel;
using matrix::Pair;
using matrix::ProductTask;

// C = A·B or A·Bᵀ by `product`; threads share the columns, of which B's are `b_column` apart.
template <typename Unit>
void on_threads(void (*product)(const ProductTask<Unit>&), const ProductTask<Unit>& task, std::int64_t b_column) {
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

void multiply(const Tensor& a, bool a_transposed, const Tensor& b, bool b_transposed, const Tensor& c) {
  const MatrixKernel& kernel = matrix::matrix_kernels().front();
  on_threads<float>(b_transposed ? kernel.times_transposed : kernel.times,
                    {.rows = c.size(0),
                     .columns = c.size(1),
                     .depth = a.size(a_transposed ? 0 : 1),
                     .a = a.const_data_ptr<float>(),
                     .a_row = a_transposed ? 1 : a.size(1),
                     .a_depth = a_transposed ? a.size(1) : 1,
                     .b = b.const_data_ptr<float>(),
                     .b_stride = b.size(1),
                     .c = c.mutable_data_ptr<float>(),
                     .c_stride = c.size(1)},
                    b_transposed ? b.size(1) : 1);
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

}  // namespace

void LinearProduct::multiply(const Tensor& a, bool a_transposed, const Tensor& b, bool b_transposed, Tensor& c) {
  const bool takes_kernels = a.device().is_cpu() && a.scalar_type() == at::kFloat;
  const matrix::PairKernel* pairs = in_bfloat16_ ? matrix::pair_kernel() : nullptr;
  const Tensor left = a.contiguous();
  const Tensor right = b.contiguous();
  if (takes_kernels && pairs != nullptr) {
    const std::int64_t depth = (a.size(a_transposed ? 0 : 1) + 1) / 2;
    on_threads<Pair>(pairs->times,
                     {.rows = c.size(0),
                      .columns = c.size(1),
                      .depth = depth,
                      .a = paired(a_transposed ? pairs->pair_rows : pairs->pair_columns, left, left_),
                      .a_row = a_transposed ? 1 : depth,
                      .a_depth = a_transposed ? a.size(1) : 1,
                      .b = paired(b_transposed ? pairs->pair_transposed : pairs->pair_rows, right, right_),
                      .b_stride = c.size(1),
                      .c = c.mutable_data_ptr<float>(),
                      .c_stride = c.size(1)},
                     1);
  } else if (in_bfloat16_) {  // rounded factors, in the type there is
    LinearProduct(false).multiply(left.to(at::kBFloat16).to(a.scalar_type()), a_transposed,
                                  right.to(at::kBFloat16).to(b.scalar_type()), b_transposed, c);
  } else if (takes_kernels) {
    svi::multiply(left, a_transposed, right, b_transposed, c);
  } else {
    at::mm_out(c, a_transposed ? a.t() : a, b_transposed ? b.t() : b);
  }
}

void LinearProduct::forward(const Tensor& x, const Tensor& weight, Tensor& y) {
  multiply(x, false, weight, true, y);
}

void LinearProduct::backward_weight(const Tensor& gradient, const Tensor& x, Tensor& by_weight) {
  multiply(gradient, true, x, false, by_weight);
}

void LinearProduct::backward_input(const Tensor& gradient, const Tensor& weight, Tensor& by_input) {
  multiply(gradient, false, weight, false, by_input);
}

}  // namespace svi
