#include "svi/math/assignment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <set>

namespace svi::math {
namespace {

double cost_of(const std::vector<double>& costs, const std::vector<std::int64_t>& columns,
               std::int64_t width) {
  double sum = 0;
  for (std::size_t row = 0; row < columns.size(); ++row)
    sum += costs[row * static_cast<std::size_t>(width) + static_cast<std::size_t>(columns[row])];
  return sum;
}

// Over all orders of the columns, of which the first go to the rows.
double least_by_trying_all(const std::vector<double>& costs, std::int64_t rows, std::int64_t width) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(width));
  std::iota(order.begin(), order.end(), 0);
  double least = std::numeric_limits<double>::infinity();
  do {
    least = std::min(least, cost_of(costs, {order.begin(), order.begin() + rows}, width));
  } while (std::next_permutation(order.begin(), order.end()));
  return least;
}

class LeastAssignment : public ::testing::TestWithParam<bool> {};

// Of costs in [−1, 1), and of few whole numbers, where many assignments are equally good.
TEST_P(LeastAssignment, IsNoWorseThanAnyOther) {
  std::mt19937_64 random(5);
  for (std::int64_t width = 1; width <= 7; ++width) {
    for (std::int64_t rows = 1; rows <= width; ++rows) {
      for (int trial = 0; trial < 10; ++trial) {
        std::vector<double> costs;
        for (std::int64_t i = 0; i < rows * width; ++i) {
          costs.push_back(GetParam() ? static_cast<double>(random() % 3)
                                     : std::uniform_real_distribution<double>(-1, 1)(random));
        }
        const std::vector<std::int64_t> columns = least_assignment(costs, rows, width);
        ASSERT_EQ(std::ssize(columns), rows);
        ASSERT_EQ(std::ssize(std::set<std::int64_t>(columns.begin(), columns.end())), rows);
        EXPECT_NEAR(cost_of(costs, columns, width), least_by_trying_all(costs, rows, width), 1e-12)
            << rows << " × " << width;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Costs, LeastAssignment, ::testing::Bool(),
                         [](const auto& of) { return of.param ? "WithTies" : "WithoutTies"; });

TEST(LeastAssignment, FindsAHiddenPermutation) {
  constexpr std::size_t size = 300;
  std::vector<std::int64_t> hidden(size);
  std::iota(hidden.begin(), hidden.end(), 0);
  std::mt19937_64 random(7);
  std::shuffle(hidden.begin(), hidden.end(), random);
  std::vector<double> costs(size * size);
  for (double& cost : costs) cost = std::uniform_real_distribution<double>(0, 1)(random);
  for (std::size_t row = 0; row < size; ++row) costs[row * size + static_cast<std::size_t>(hidden[row])] = -1;
  EXPECT_EQ(least_assignment(costs, size, size), hidden);
}

}  // namespace
}  // namespace svi::math
