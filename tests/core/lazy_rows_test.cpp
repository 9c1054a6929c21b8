#include "svi/core/lazy_rows.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "svi/base/random.hpp"
#include "svi/core/word_set.hpp"

namespace {

using at::Tensor;
using svi::LazyScale;
using svi::RowBlock;

constexpr std::int64_t rows = 40;
constexpr std::int64_t columns = 7;

Tensor values_of(const Tensor& data, const LazyScale& lazy) {
  return data.to(at::kDouble) * lazy.scale + lazy.offset;
}

// Some rows, different at every step, with positive values.
RowBlock target_of(std::int64_t step, at::ScalarType type) {
  const svi::Philox noise(11);
  RowBlock target{.offset = 0.3};
  for (std::int32_t row = 0; row < rows; ++row) {
    const double u = noise.uniform(svi::Purpose::test_data, static_cast<std::uint64_t>(step),
                                   static_cast<std::uint64_t>(row), 0);
    if (u < 0.2) target.rows.push_back(row);
  }
  std::vector<float> values(target.rows.size() * columns);
  noise.fill_uniform(values, svi::Purpose::test_data, static_cast<std::uint64_t>(step), 99);
  target.values = at::tensor(values, at::kFloat).view({target.size(), columns}).mul(50).to(type);
  return target;
}

// The same step on a whole matrix.
Tensor dense_step(const Tensor& before, double rho, const RowBlock& target) {
  Tensor whole = at::full({rows, columns}, target.offset, at::kDouble);
  for (std::size_t r = 0; r < target.rows.size(); ++r)
    whole[target.rows[r]].add_(target.values[static_cast<std::int64_t>(r)].to(at::kDouble));
  return before * (1 - rho) + whole * rho;
}

struct Matrix {
  explicit Matrix(at::ScalarType type) : data(at::rand({rows, columns}, at::kDouble).to(type)) {
    lazy.offset = 0.3;
    svi::sum_rows(data, lazy);
  }
  Tensor values() const { return values_of(data, lazy); }
  Tensor data;
  LazyScale lazy;
};

double largest_difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

// 1,000 steps of (3 + t)^−0.6: the scale falls to exp(−37) and is renormalised on the way.
TEST(LazyRows, AreTheDenseStepsInDouble) {
  Matrix matrix(at::kDouble);
  Tensor expected = matrix.values().clone();
  bool was_renormalised = false;
  for (std::int64_t t = 0; t < 1000; ++t) {
    const double rho = std::pow(3.0 + static_cast<double>(t), -0.6);
    const double scale_before = matrix.lazy.scale;
    svi::blend(matrix.data, matrix.lazy, rho, target_of(t, at::kDouble));
    was_renormalised = was_renormalised || matrix.lazy.scale > scale_before;
    expected = dense_step(expected, rho, target_of(t, at::kDouble));
    ASSERT_LT(largest_difference(matrix.values(), expected), 1e-12 * expected.max().item<double>()) << t;
  }
  EXPECT_TRUE(was_renormalised);
  const std::vector<double> totals = svi::column_totals(matrix.data, matrix.lazy);
  const Tensor expected_totals = expected.sum(0);
  for (std::int64_t k = 0; k < columns; ++k) {
    const double total = expected_totals[k].item<double>();
    EXPECT_NEAR(totals[static_cast<std::size_t>(k)], total, 1e-12 * total);
  }
}

// Each row is rounded only where it changes: once a step, 6e-8 of itself, and older errors decay with it.
TEST(LazyRows, InFloatStayNearTheDenseSteps) {
  Matrix matrix(at::kFloat);
  Tensor expected = matrix.values().clone();
  for (std::int64_t t = 0; t < 300; ++t) {
    const double rho = std::pow(3.0 + static_cast<double>(t), -0.6);
    svi::blend(matrix.data, matrix.lazy, rho, target_of(t, at::kFloat));
    expected = dense_step(expected, rho, target_of(t, at::kFloat));
  }
  EXPECT_LT(largest_difference(matrix.values(), expected), 1e-6 * expected.max().item<double>());
}

TEST(LazyRows, ARowWithoutWordsDecaysExactly) {
  Matrix matrix(at::kDouble);
  const Tensor before = matrix.data.clone();
  RowBlock target{.rows = {3}, .values = at::ones({1, columns}, at::kDouble), .offset = 0.3};
  svi::blend(matrix.data, matrix.lazy, 0.25, target);
  EXPECT_EQ(matrix.lazy.scale, 0.75);
  EXPECT_EQ(matrix.lazy.offset, 0.75 * 0.3 + 0.25 * 0.3);
  for (std::int64_t row = 0; row < rows; ++row) EXPECT_EQ(at::equal(matrix.data[row], before[row]), row != 3);
}

TEST(LazyRows, AStepOfSizeOneForgetsAll) {
  Matrix matrix(at::kFloat);
  svi::blend(matrix.data, matrix.lazy, 1, target_of(0, at::kFloat));
  EXPECT_LT(largest_difference(matrix.values(), dense_step(at::zeros({rows, columns}, at::kDouble), 1,
                                                           target_of(0, at::kFloat))),
            1e-7);
  EXPECT_EQ(matrix.lazy.scale, 1);
}

TEST(LazyRows, FoldingKeepsTheValues) {
  Matrix matrix(at::kDouble);
  for (std::int64_t t = 0; t < 5; ++t) svi::blend(matrix.data, matrix.lazy, 0.1, target_of(t, at::kDouble));
  const Tensor values = matrix.values();
  const std::vector<double> totals = svi::column_totals(matrix.data, matrix.lazy);
  svi::fold(matrix.data, matrix.lazy);
  EXPECT_TRUE(at::equal(matrix.data, values));
  EXPECT_EQ(matrix.lazy.scale, 1);
  EXPECT_EQ(matrix.lazy.offset, 0);
  for (std::size_t k = 0; k < totals.size(); ++k)
    EXPECT_NEAR(matrix.lazy.sums[k], totals[k], 1e-13 * totals[k]);
}

TEST(WordSet, ListsWordsOnceInOrder) {
  svi::WordSet set(200);
  set.add(svi::CountRows{{0, 3, 5}, {0, 63, 199, 63, 64}, {1, 1, 1, 1, 1}});
  EXPECT_EQ(set.words(), (std::vector<std::int32_t>{0, 63, 64, 199}));
  set.clear();
  EXPECT_TRUE(set.words().empty());
}

}  // namespace
