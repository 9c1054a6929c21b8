#include "models/linear_product.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "svi/base/random.hpp"
#include "svi/core/parallel.hpp"

namespace {

using at::Tensor;

Tensor normals(std::vector<std::int64_t> shape, std::uint64_t key) {
  Tensor values = at::empty(shape, at::kFloat);
  svi::Philox(key).fill_normal(std::span(values.data_ptr<float>(), static_cast<std::size_t>(values.numel())),
                               svi::Purpose::test_data, 0, 0);
  return values;
}

// [rows, columns], in memory as its transpose.
Tensor as_weight(const Tensor& values) { return values.t().contiguous().t(); }

Tensor exact(const Tensor& values, bool in_bfloat16) {
  return (in_bfloat16 ? values.to(at::kBFloat16) : values).to(at::kDouble);
}

// |product − a·b| beside what rounding of sums in float32 may do: a sum of n products is within n·2^−24·Σ|a_i b_i|.
void expect_product(const Tensor& product, const Tensor& a, const Tensor& b) {
  const Tensor allowed = at::mm(a.abs(), b.abs()) * (static_cast<double>(a.size(1)) / (1 << 24));
  EXPECT_TRUE(((product.to(at::kDouble) - at::mm(a, b)).abs() <= allowed).all().item<bool>());
}

class LinearProduct : public testing::TestWithParam<bool> {};

// Shapes change from call to call, as the last minibatch of an epoch and evaluations change them.
TEST_P(LinearProduct, IsThatOfItsRoundedFactors) {
  const bool in_bfloat16 = GetParam();
  svi::LinearProduct product(in_bfloat16);
  for (const auto& [rows, in, out] : {std::tuple{7, 33, 20}, {1, 5, 3}, {40, 64, 100}, {7, 33, 20}}) {
    const Tensor x = normals({rows, in}, 1);
    const Tensor weight = as_weight(normals({out, in}, 2));
    const Tensor gradient = normals({rows, out}, 3);
    Tensor y = at::empty({rows, out});
    Tensor by_weight = as_weight(at::empty({out, in}));
    Tensor by_input = at::empty({rows, in});
    product.forward(x, weight, y);
    product.backward_weight(gradient, x, by_weight);
    product.backward_input(gradient, weight, by_input);
    const Tensor g = exact(gradient, in_bfloat16);
    expect_product(y, exact(x, in_bfloat16), exact(weight, in_bfloat16).t());
    expect_product(by_weight, g.t(), exact(x, in_bfloat16));
    expect_product(by_input, g, exact(weight, in_bfloat16));
    EXPECT_EQ(at::allclose(by_input, at::mm(gradient, weight), 1e-5, 1e-5), !in_bfloat16);
  }
}

// Half of the units of a rectified layer, nine tenths of the pixels: what is passed over is not missed, on one thread
// and on three.
TEST_P(LinearProduct, IsThatOfItsFactorsWhereManyAreZero) {
  const bool in_bfloat16 = GetParam();
  svi::LinearProduct product(in_bfloat16);
  for (const double rectified_above : {0.0, 1.3}) {
    for (const auto& [rows, in, out] : {std::tuple{7, 33, 49}, {70, 300, 100}, {20, 128, 256}, {64, 512, 512}}) {
      Tensor x = normals({rows, in}, 1);
      x = x * x.gt(rectified_above);  // −0 among them
      const Tensor weight = as_weight(normals({out, in}, 2));
      const Tensor gradient = normals({rows, out}, 3);
      for (const int threads : {1, 3}) {
        svi::set_parallel_threads(threads);
        Tensor y = at::empty({rows, out});
        Tensor by_weight = as_weight(at::empty({out, in}));
        product.forward(x, weight, y);
        product.backward_weight(gradient, x, by_weight);
        svi::set_parallel_threads(1);
        expect_product(y, exact(x, in_bfloat16), exact(weight, in_bfloat16).t());
        expect_product(by_weight, exact(gradient, in_bfloat16).t(), exact(x, in_bfloat16));
      }
    }
  }
}

// A row's product is the same to the bit whatever other rows there are, and whatever threads share the work.
TEST_P(LinearProduct, DependsOnItsRowAlone) {
  svi::LinearProduct product(GetParam());
  const Tensor x = normals({23, 77}, 1);
  const Tensor weight = as_weight(normals({101, 77}, 2));
  Tensor all = at::empty({23, 101});
  product.forward(x, weight, all);
  for (const std::int64_t row : {0, 7, 22}) {
    Tensor alone = at::empty({1, 101});
    product.forward(x.narrow(0, row, 1), weight, alone);
    EXPECT_TRUE(at::equal(alone, all.narrow(0, row, 1)));
  }
  svi::set_parallel_threads(3);
  Tensor on_threads = at::empty({23, 101});
  product.forward(x, weight, on_threads);
  svi::set_parallel_threads(1);
  EXPECT_TRUE(at::equal(on_threads, all));
}

// Rounding is LibTorch's, to the bit: ties, small and large numbers, infinities, what is no number.
TEST(Rounding, IsToTheNearest) {
  std::vector<float> values{0.0F,     -0.0F,   1.0F,      1.00390625F, 1.01171875F, -1.00390625F, 3.4e38F,
                            -3.4e38F, 1e-37F,  INFINITY,  -INFINITY,   NAN,         1.0039063F,   1.0039062F};
  const Tensor more = normals({1000}, 5);
  values.insert(values.end(), more.data_ptr<float>(), more.data_ptr<float>() + 1000);
  const Tensor x = at::tensor(values).view({-1, 1});
  Tensor y = at::empty_like(x);
  svi::LinearProduct(true).forward(x, at::ones({1, 1}), y);
  EXPECT_TRUE(at::equal(y.nan_to_num(7), x.to(at::kBFloat16).to(at::kFloat).nan_to_num(7)));
  EXPECT_TRUE(at::isnan(y).equal(at::isnan(x)));
}

INSTANTIATE_TEST_SUITE_P(Types, LinearProduct, testing::Bool(),
                         [](const auto& test) { return test.param ? "bfloat16" : "float32"; });

}  // namespace
