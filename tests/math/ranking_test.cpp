#include "svi/math/ranking.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "svi/math/log_mean_exp.hpp"

namespace svi::math {
namespace {

double auc_by_counting_pairs(const std::vector<double>& positives, const std::vector<double>& negatives) {
  double won = 0;
  for (const double p : positives) {
    for (const double n : negatives) won += p > n ? 1 : p == n ? 0.5 : 0;
  }
  return won / static_cast<double>(positives.size() * negatives.size());
}

// Few different values, so that many are equal; halves and whole pairs are exact in float64.
TEST(RocAuc, IsTheShareOfPairsInOrder) {
  std::mt19937_64 random(1);
  for (const std::size_t size : {1U, 2U, 7U, 100U, 301U}) {
    std::vector<double> positives(size);
    std::vector<double> negatives(2 * size + 1);
    for (double& score : positives) score = static_cast<double>(random() % 20) + 4;
    for (double& score : negatives) score = static_cast<double>(random() % 20);
    EXPECT_EQ(roc_auc(positives, negatives), auc_by_counting_pairs(positives, negatives)) << size;
    EXPECT_EQ(roc_auc(negatives, positives), auc_by_counting_pairs(negatives, positives)) << size;
  }
  const std::vector<double> low{1, 2};
  const std::vector<double> high{3, 4, 5};
  EXPECT_EQ(roc_auc(high, low), 1);
  EXPECT_EQ(roc_auc(low, high), 0);
  EXPECT_EQ(roc_auc(low, low), 0.5);
}

TEST(ShareBelow, CountsWhatIsStrictlyLower) {
  const std::vector<double> reference{3, 1, 2, 2};
  EXPECT_EQ(share_below(std::vector<double>{0, 1, 2, 2.5, 3, 9}, reference),
            (std::vector<double>{0, 0, .25, .75, .75, 1}));
}

double log_mean_exp(const std::vector<double>& values) {
  LogMeanExp mean;
  for (const double value : values) mean.add(value);
  return mean.value();
}

TEST(LogMeanExp, NeitherOverflowsNorDependsOnWhereTheLargestIs) {
  const double expected = std::log((1 + 2 + 3) / 3.0);
  for (const double shift : {0.0, 700.0, -5000.0, 1e8}) {
    const double one = shift;
    const double two = shift + std::log(2);
    const double three = shift + std::log(3);
    const double rounding = 4e-16 * (std::abs(shift) + 1);
    EXPECT_NEAR(log_mean_exp({one, two, three}), shift + expected, rounding);
    EXPECT_NEAR(log_mean_exp({three, one, two}), shift + expected, rounding);
  }
  EXPECT_EQ(log_mean_exp({-3.5}), -3.5);
}

TEST(LogMeanExp, Corners) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(log_mean_exp({-infinity, -infinity}), -infinity);
  EXPECT_NEAR(log_mean_exp({-infinity, 2, -infinity, -infinity}), 2 - std::log(4), 1e-15);
  EXPECT_TRUE(std::isnan(log_mean_exp({1, std::nan(""), 2})));
  EXPECT_TRUE(std::isnan(log_mean_exp({std::nan(""), 1000})));
}

}  // namespace
}  // namespace svi::math
