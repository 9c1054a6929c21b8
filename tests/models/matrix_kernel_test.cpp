#include "models/matrix_kernel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "svi/base/random.hpp"

namespace {

using svi::matrix::matrix_kernels;
using svi::matrix::pair_kernel;
using svi::matrix::Pair;
using svi::matrix::ProductTask;

struct Shape {
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t depth;
};

// Every number of rows of a tile, every kind of vector at the end of a row, and sums of whole vectors and parts of one.
std::vector<Shape> shapes() {
  std::vector<Shape> list{{1, 1, 1}, {64, 200, 130}, {13, 129, 33}};
  for (std::int64_t rows = 1; rows <= 13; ++rows) list.push_back({rows, 5, 19});
  for (std::int64_t columns = 1; columns <= 132; ++columns) list.push_back({7, columns, 3});
  for (std::int64_t depth = 1; depth <= 66; ++depth) list.push_back({4, 6, depth});
  return list;
}

std::vector<float> normals(std::int64_t size, std::uint64_t key) {
  std::vector<float> values(static_cast<std::size_t>(size));
  svi::Philox(key).fill_normal(values, svi::Purpose::test_data, 0, 0);
  return values;
}

// Units of factors, and the numbers that they are.
std::vector<float> units(const std::vector<float>& values, float) { return values; }
std::vector<Pair> units(const std::vector<float>& values, Pair) {
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i + 1 < values.size(); i += 2)
    pairs.push_back(std::bit_cast<std::uint32_t>(values[i]) >> 16 |
                    (std::bit_cast<std::uint32_t>(values[i + 1]) & 0xffff0000U));
  return pairs;
}
double product(float a, float b) { return static_cast<double>(a) * static_cast<double>(b); }
double product(Pair a, Pair b) {
  return product(std::bit_cast<float>(a << 16), std::bit_cast<float>(b << 16)) +
         product(std::bit_cast<float>(a & 0xffff0000U), std::bit_cast<float>(b & 0xffff0000U));
}

template <typename Unit>
std::vector<Unit> factor(std::int64_t rows, std::int64_t columns, std::uint64_t key) {
  return units(normals(2 * rows * columns, key), Unit{});
}

constexpr float untouched = 12345;

// C with a border that nobody may write to, beside sums in double: within (terms)·2^−23 of the sum of sizes.
template <typename Unit, typename TermA, typename TermB>
void expect_product(const std::vector<float>& c, const Shape& shape, std::int64_t stride, const TermA& a, const TermB& b,
                    const char* name) {
  for (std::int64_t m = 0; m < shape.rows; ++m) {
    for (std::int64_t n = 0; n < stride; ++n) {
      const float found = c[static_cast<std::size_t>(m * stride + n)];
      if (n >= shape.columns) {
        ASSERT_EQ(found, untouched) << name;
        continue;
      }
      double sum = 0;
      double size = 0;
      for (std::int64_t k = 0; k < shape.depth; ++k) {
        sum += product(a(m, k), b(k, n));
        size += std::fabs(product(a(m, k), b(k, n)));
      }
      const double terms = static_cast<double>(shape.depth * std::int64_t{sizeof(Unit)} / 2);
      ASSERT_NEAR(static_cast<double>(found), sum, (size + 1e-3) * (terms + 8) * std::ldexp(1.0, -23))
          << name << " " << shape.rows << " x " << shape.columns << " x " << shape.depth << " at " << m << ", " << n;
    }
  }
}

constexpr auto at = [](const auto& values, std::int64_t i) { return values[static_cast<std::size_t>(i)]; };

// C = A·B by `times`, A by rows and by columns.
template <typename Unit>
void check_times(void (*times)(const ProductTask<Unit>&), const char* name) {
  for (const Shape& shape : shapes()) {
    const std::int64_t stride = shape.columns + 3;
    const std::vector<Unit> a = factor<Unit>(shape.rows, shape.depth, 1);
    const std::vector<Unit> b = factor<Unit>(shape.depth, shape.columns, 2);
    const auto of_b = [&](std::int64_t k, std::int64_t n) { return at(b, k * shape.columns + n); };
    std::vector<float> c(static_cast<std::size_t>(shape.rows * stride), untouched);
    ProductTask<Unit> task{shape.rows, shape.columns, shape.depth, a.data(), shape.depth,
                           1,          b.data(),      shape.columns, c.data(), stride};
    times(task);
    expect_product<Unit>(
        c, shape, stride, [&](std::int64_t m, std::int64_t k) { return at(a, m * shape.depth + k); }, of_b, name);
    std::fill(c.begin(), c.end(), untouched);
    task.a_row = 1;
    task.a_depth = shape.rows;
    times(task);
    expect_product<Unit>(
        c, shape, stride, [&](std::int64_t m, std::int64_t k) { return at(a, k * shape.rows + m); }, of_b, name);
  }
}

TEST(MatrixKernel, IsTheProduct) {
  ASSERT_FALSE(matrix_kernels().empty());
  for (const auto& kernel : matrix_kernels()) check_times<float>(kernel.times, kernel.name);
}

// Which numbers are left, for every kind of block: none, some, all; of both signs.
template <typename Unit>
std::vector<Unit> with_zeros(std::vector<Unit> values, std::uint64_t share) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t hashed = i * 0x9e3779b97f4a7c15ULL;
    constexpr std::uint32_t negative = std::is_same_v<Unit, float> ? 0x80000000U : 0x80008000U;
    if ((hashed >> 40) % 10 < share) values[i] = std::bit_cast<Unit>(i % 3 == 0 ? negative : 0U);
  }
  return values;
}

// `nonzeros.times` beside `times`, to the bit: A by rows and by columns, with rows of B apart by a power of two, too.
template <typename Unit, typename Kernel>
void check_nonzeros(const Kernel& kernel, const char* name) {
  std::vector<Shape> list = shapes();
  for (const Shape& shape : {Shape{5, 256, 300}, {33, 784, 70}, {40, 300, 64}, {17, 145, 65}, {3, 512, 513}})
    list.push_back(shape);
  for (const Shape& shape : list) {
    for (const std::uint64_t share : {0, 5, 9, 10}) {
      const std::vector<Unit> a = with_zeros(factor<Unit>(shape.rows, shape.depth, 1), share);
      const std::vector<Unit> b = factor<Unit>(shape.depth, shape.columns, 2);
      const std::int64_t stride = shape.columns + 3;
      for (const bool by_columns : {false, true}) {
        std::vector<float> all(static_cast<std::size_t>(shape.rows * stride), untouched);
        std::vector<float> others = all;
        ProductTask<Unit> task{shape.rows, shape.columns, shape.depth, a.data(), by_columns ? 1 : shape.depth,
                               by_columns ? shape.rows : 1, b.data(), shape.columns, all.data(), stride};
        kernel.times(task);
        const std::int64_t blocks = (shape.depth + kernel.nonzeros.terms - 1) / kernel.nonzeros.terms;
        const std::int64_t pitch = blocks * kernel.nonzeros.terms;
        std::vector<std::int32_t> count(static_cast<std::size_t>(shape.rows * blocks), -1);
        std::vector<svi::matrix::Nonzero> each(static_cast<std::size_t>(shape.rows * pitch));
        const svi::matrix::Nonzeros found{kernel.nonzeros.terms, pitch, count.data(), each.data()};
        const std::int64_t middle = shape.rows / 2;
        kernel.nonzeros.find(task, middle, shape.rows, found);
        kernel.nonzeros.find(task, 0, middle, found);
        task.c = others.data();
        kernel.nonzeros.times(task, found);
        ASSERT_EQ(std::memcmp(all.data(), others.data(), all.size() * sizeof(float)), 0)
            << name << " " << shape.rows << " x " << shape.columns << " x " << shape.depth << ", share " << share;
        std::int64_t sum = 0;
        for (const std::int32_t some : count) sum += some;
        const std::int64_t size = shape.rows * shape.depth;
        ASSERT_EQ(kernel.nonzeros.count(a.data(), size), sum) << name;
        ASSERT_GE(sum, share == 0 ? size : 0) << name;
        ASSERT_LE(sum, share == 10 ? 0 : size) << name;
      }
    }
  }
}

TEST(MatrixKernel, PassesOverZeros) {
  for (const auto& kernel : matrix_kernels()) check_nonzeros<float>(kernel, kernel.name);
}

TEST(PairKernel, PassesOverZeros) {
  if (pair_kernel() == nullptr) GTEST_SKIP() << "this processor has no products of bfloat16";
  check_nonzeros<Pair>(*pair_kernel(), "pairs");
}

TEST(MatrixKernel, IsTheProductWithATranspose) {
  for (const auto& kernel : matrix_kernels()) {
    for (const Shape& shape : shapes()) {
      const std::int64_t stride = shape.columns + 3;
      const std::vector<float> a = factor<float>(shape.rows, shape.depth, 1);
      const std::vector<float> b = factor<float>(shape.columns, shape.depth, 2);
      std::vector<float> c(static_cast<std::size_t>(shape.rows * stride), untouched);
      kernel.times_transposed({shape.rows, shape.columns, shape.depth, a.data(), shape.depth, 1, b.data(), shape.depth,
                               c.data(), stride});
      expect_product<float>(
          c, shape, stride, [&](std::int64_t m, std::int64_t k) { return at(a, m * shape.depth + k); },
          [&](std::int64_t k, std::int64_t n) { return at(b, n * shape.depth + k); }, kernel.name);
    }
  }
}

TEST(PairKernel, IsTheProductOfPairs) {
  if (pair_kernel() == nullptr) GTEST_SKIP() << "this processor has no products of bfloat16";
  check_times<Pair>(pair_kernel()->times, "pairs");
}

std::uint32_t bits_at(const std::vector<float>& values, std::int64_t columns, std::int64_t r, std::int64_t c) {
  if (c >= columns || r * columns + c >= std::ssize(values)) return 0;
  const auto bits = std::bit_cast<std::uint32_t>(at(values, r * columns + c));
  return (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;  // to the nearest, ties to even
}

TEST(PairKernel, PairsNeighbours) {
  if (pair_kernel() == nullptr) GTEST_SKIP() << "this processor has no products of bfloat16";
  for (const auto& [rows, columns] : {std::pair{1, 1}, {2, 3}, {3, 2}, {16, 32}, {17, 33}, {33, 65}, {40, 31}}) {
    const std::vector<float> values = normals(std::int64_t{rows} * columns, 3);
    const std::int64_t across = (columns + 1) / 2;
    const std::int64_t down = (rows + 1) / 2;
    constexpr Pair border = 77;
    std::vector<Pair> by_columns(static_cast<std::size_t>(rows * across + 1), border);
    std::vector<Pair> transposed = by_columns;
    std::vector<Pair> by_rows(static_cast<std::size_t>(down * columns + 1), border);
    pair_kernel()->pair_columns(values.data(), rows, columns, by_columns.data());
    pair_kernel()->pair_transposed(values.data(), rows, columns, transposed.data());
    pair_kernel()->pair_rows(values.data(), rows, columns, by_rows.data());
    const auto bits = [&](std::int64_t r, std::int64_t c) { return bits_at(values, columns, r, c); };
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t k = 0; k < across; ++k) {
        const Pair expected = bits(r, 2 * k) | bits(r, 2 * k + 1) << 16;
        ASSERT_EQ(at(by_columns, r * across + k), expected) << rows << " x " << columns;
        ASSERT_EQ(at(transposed, k * rows + r), expected) << rows << " x " << columns;
      }
    }
    for (std::int64_t k = 0; k < down; ++k) {
      for (std::int64_t c = 0; c < columns; ++c)
        ASSERT_EQ(at(by_rows, k * columns + c), bits(2 * k, c) | bits(2 * k + 1, c) << 16) << rows << " x " << columns;
    }
    EXPECT_EQ(by_columns.back(), border);
    EXPECT_EQ(transposed.back(), border);
    EXPECT_EQ(by_rows.back(), border);
  }
}

}  // namespace
