// Which totals make a step no update, and which rows are told of it.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>
#include <span>
#include <vector>

#include "support/thread.hpp"
#include "trainer/nonfinite.hpp"

namespace svi::trainer {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// What is said of a direction of three elements at most, whose terms are finite.
const char* said_of(const std::vector<double>& direction, at::ScalarType type, double factor = 1) {
  Contribution total({{"weight", {3}}}, type, {{"bound", 1}});
  total.terms.scalar("rows") = 5;
  total.terms.scalar("bound") = -3;
  total.statistics.flat().zero_();
  for (std::size_t i = 0; i < direction.size(); ++i)
    total.statistics["weight"][static_cast<std::int64_t>(i)] = direction[i];
  total.factor = factor;
  total.measure();
  EXPECT_EQ(nonfinite_terms(total), nullptr);
  return nonfinite_direction(total);
}

class NonfiniteDirection : public testing::TestWithParam<at::ScalarType> {};
INSTANTIATE_TEST_SUITE_P(Types, NonfiniteDirection, testing::Values(at::kFloat, at::kDouble));

TEST_P(NonfiniteDirection, HasAnElementThatIsNot) {
  EXPECT_EQ(said_of({1, -2, 3}, GetParam()), nullptr);
  for (const double bad : {infinity, -infinity, not_a_number}) {
    EXPECT_STREQ(said_of({bad}, GetParam()), "the gradient is") << bad;
    EXPECT_STREQ(said_of({1, 2, bad}, GetParam()), "the gradient is") << bad;
  }
}

// Elements that are finite themselves: their squares' sum has to be in their type, up to 3.4e38 or 1.8e308.
TEST(SumOfSquares, OfADirectionHasToBeInItsType) {
  EXPECT_STREQ(said_of({2e19, 2e19}, at::kFloat), "the gradient is");
  EXPECT_EQ(said_of({2e19, 2e19}, at::kDouble), nullptr);
  EXPECT_EQ(said_of({1.3e19, 1.3e19}, at::kFloat), nullptr);                       // 3.38e38
  EXPECT_STREQ(said_of({1.3e19, 1.3e19, 1.3e19}, at::kFloat), "the gradient is");  // no square of them alone
  EXPECT_STREQ(said_of({1e160}, at::kDouble), "the gradient is");
  // What is meant is factor · statistics.
  EXPECT_EQ(said_of({2e19, 2e19}, at::kFloat, 0.1), nullptr);
  EXPECT_STREQ(said_of({2e18, 2e18}, at::kFloat, 10), "the gradient is");
}

TEST(NonfiniteTerms, AreTold) {
  for (const double bad : {infinity, -infinity, not_a_number}) {
    Contribution total({{"weight", {3}}}, at::kFloat, {{"bound", 1}, {"kl", 2}});
    EXPECT_EQ(nonfinite_terms(total), nullptr);
    total.terms["kl"][1] = bad;
    EXPECT_STREQ(nonfinite_terms(total), "the ELBO is") << bad;
  }
}

// Ranks hold parts of the minibatch in an order of their own; what is told is one list.
TEST(RowsOfAllRanks, AreTheSameListOnAnyNumberOfThem) {
  const std::vector<std::int64_t> rows{5, 40, 7, 2, 31, 9};
  for (const int ranks : {1, 2, 3, 7}) {
    comm::run_on_threads(ranks, [&](comm::Communicator& communicator) {
      const auto place = [&](int rank) { return rows.size() * static_cast<std::size_t>(rank) / ranks; };
      const std::size_t first = place(communicator.rank());
      const auto mine = std::span(rows).subspan(first, place(communicator.rank() + 1) - first);
      EXPECT_EQ(rows_of_all_ranks(communicator, mine), (std::vector<std::int64_t>{2, 5, 7, 9, 31, 40}));
    });
  }
}

}  // namespace
}  // namespace svi::trainer
