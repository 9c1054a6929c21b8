#include "models/activation.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/base/random.hpp"

namespace {

using at::Tensor;
using svi::Activation;

Tensor normals(std::vector<std::int64_t> shape, std::uint64_t key, at::ScalarType type) {
  Tensor values = at::empty(shape, at::kDouble);
  svi::Philox(key).fill_normal(std::span(values.data_ptr<double>(), static_cast<std::size_t>(values.numel())),
                               svi::Purpose::test_data, 0, 0);
  return values.to(type);
}

double value_of(const std::string& name, double x) {
  if (name == "relu") return x > 0 ? x : 0;
  if (name == "leaky_relu") return x > 0 ? x : 0.01 * x;
  if (name == "tanh") return std::tanh(x);
  if (name == "silu") return x / (1 + std::exp(-x));
  return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));  // gelu
}

double derivative_of(const std::string& name, double x) {
  const double h = 1e-6;
  return (value_of(name, x + h) - value_of(name, x - h)) / (2 * h);
}

struct Case {
  std::string name;
  std::int64_t rows;
  std::int64_t width;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::string& name : svi::activation_names()) {
    for (const auto& [rows, width] : {std::pair{1, 1}, {5, 63}, {64, 64}, {65, 65}, {200, 200}})
      all.push_back({name, rows, width});
  }
  return all;
}

class Passes : public testing::TestWithParam<Case> {
 protected:
  // The way forward and back in a type, each number beside its closed form in float64.
  void hold_against_closed_forms(at::ScalarType type, double tolerance) {
    const auto& [name, rows, width] = GetParam();
    const Activation activation = svi::activation_of(name);
    const Tensor bias = normals({width}, 1, type);
    const Tensor before = normals({rows, width}, 2, type);
    const Tensor by_value = normals({rows, width}, 3, type);
    Tensor y = before.clone();
    Tensor argument = at::empty_like(y);
    svi::activate(activation, bias, y, argument);
    Tensor gradient = by_value.clone();
    Tensor sums = at::full({width}, NAN, y.options());
    svi::through_activation(activation, y, argument, gradient, sums);

    for (std::int64_t j = 0; j < width; ++j) {
      double sum = 0;
      double size = 0;
      for (std::int64_t b = 0; b < rows; ++b) {
        const double a = before[b][j].item<double>() + bias[j].item<double>();
        EXPECT_NEAR(y[b][j].item<double>(), value_of(name, a), tolerance * (1 + std::fabs(a)));
        const double expected = by_value[b][j].item<double>() * derivative_of(name, a);
        if (std::fabs(a) > 1e-5) {  // where a kink is not between the differences
          EXPECT_NEAR(gradient[b][j].item<double>(), expected, 10 * tolerance * (1 + std::fabs(a)));
        }
        sum += gradient[b][j].item<double>();
        size += std::fabs(gradient[b][j].item<double>());
      }
      // 63 additions in the type, each within half a unit in the last place of at most Σ|g|.
      EXPECT_NEAR(sums[j].item<double>(), sum, 32 * tolerance * size + 1e-300);
    }
  }
};

TEST_P(Passes, MatchClosedFormsInFloat32) { hold_against_closed_forms(at::kFloat, 3e-7); }
TEST_P(Passes, MatchClosedFormsInFloat64) { hold_against_closed_forms(at::kDouble, 1e-9); }

INSTANTIATE_TEST_SUITE_P(Activations, Passes, testing::ValuesIn(cases()), [](const auto& test) {
  return test.param.name + "_" + std::to_string(test.param.rows) + "x" + std::to_string(test.param.width);
});

// Of a last layer: the bias is added, and the gradient stays as it is.
TEST(Activation, NoneAddsTheBiasAndSumsTheGradient) {
  const Tensor bias = normals({70}, 1, at::kDouble);
  const Tensor before = normals({90, 70}, 2, at::kDouble);
  Tensor y = before.clone();
  Tensor argument;
  svi::activate(Activation::none, bias, y, argument);
  EXPECT_TRUE(at::equal(y, before + bias));
  Tensor gradient = before.clone();
  Tensor sums = at::empty_like(bias);
  svi::through_activation(Activation::none, y, argument, gradient, sums);
  EXPECT_TRUE(at::equal(gradient, before));
  EXPECT_TRUE(at::allclose(sums, before.sum(0), 1e-13, 1e-13));
}

TEST(Activation, NotANumberStaysOne) {
  Tensor y = at::full({2, 3}, NAN, at::kFloat);
  Tensor argument;
  svi::activate(Activation::relu, at::zeros({3}), y, argument);
  EXPECT_TRUE(y.isnan().all().item<bool>());
}

TEST(Activation, RefusesUnknownNames) { EXPECT_THROW(svi::activation_of("step"), svi::Error); }

}  // namespace
