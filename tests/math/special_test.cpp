#include "svi/math/special.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace {

// ψ by its recurrence up to 40, then the first terms of the asymptotic series: slow, and exact to 1e-16.
double slow_digamma(double x) {
  double shift = 0;
  for (; x < 40; x += 1) shift += 1 / x;
  const double w = 1 / (x * x);
  return std::log(x) - 0.5 / x - w * (1.0 / 12 - w * (1.0 / 120 - w / 252)) - shift;
}

double relative(double value, double expected) {
  return std::fabs(value - expected) / std::max(1.0, std::fabs(expected));
}

// 2,400 arguments from 1e-12 to 1e12.
std::vector<double> wide_range() {
  std::vector<double> values;
  for (int i = -1200; i <= 1200; ++i) values.push_back(std::pow(10.0, i / 100.0));
  return values;
}

TEST(Digamma, KnownValues) {
  EXPECT_NEAR(svi::math::digamma(1.0), -0.57721566490153286, 1e-14);  // −Euler's constant
  EXPECT_NEAR(svi::math::digamma(0.5), -0.57721566490153286 - 2 * std::log(2.0), 1e-14);
  EXPECT_NEAR(svi::math::digamma(0.01), -100.56088545786867, 1e-12);
}

TEST(Digamma, AgreesWithItsRecurrenceOverTheUsedRange) {
  for (const double x : wide_range()) {
    EXPECT_LT(relative(svi::math::digamma(x), slow_digamma(x)), 2e-14) << x;
    const auto single = static_cast<float>(x);
    EXPECT_LT(relative(svi::math::digamma(single), slow_digamma(single)), 1e-6) << x;
  }
}

TEST(LogGamma, AgreesWithTheCLibrary) {
  for (const double x : wide_range()) {
    EXPECT_LT(relative(svi::math::log_gamma(x), std::lgamma(x)), 2e-14) << x;
  }
}

// 2^45 exp ψ(x): relative errors, from the least argument that float32 can hold; both types are never zero.
TEST(ScaledExpDigamma, AgreesWithTheSlowDigamma) {
  for (const double x : wide_range()) {
    const auto single = static_cast<float>(x);
    const double expected = std::exp(45 * std::log(2.0) + slow_digamma(single));
    if (single >= 0.0086F) {
      EXPECT_LT(std::fabs(svi::math::scaled_exp_digamma(single) / expected - 1), 5e-7 + 3e-7 / single) << x;
    } else {
      EXPECT_GT(svi::math::scaled_exp_digamma(single), 0) << x;
      EXPECT_LT(svi::math::scaled_exp_digamma(single), 1e-36) << x;
    }
    const double log_expected = 45 * std::log(2.0) + slow_digamma(x);
    if (log_expected < -700) continue;  // beyond float64
    EXPECT_LT(std::fabs(svi::math::scaled_exp_digamma(x) / std::exp(log_expected) - 1),
              1e-13 * std::max(10.0, std::fabs(log_expected)))
        << x;
  }
}

TEST(ScaledExpDigamma, PassesNansOnAndIsNeverZero) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(svi::math::scaled_exp_digamma(nan)));
  EXPECT_TRUE(std::isnan(svi::math::scaled_exp_digamma(-nan)));
  for (const float x : {0.0F, 1e-30F, 0.0085F}) EXPECT_GE(svi::math::scaled_exp_digamma(x), 5e-38F) << x;
}

TEST(Trigamma, IsTheSlopeOfDigamma) {
  EXPECT_NEAR(svi::math::trigamma(1), 1.6449340668482264, 1e-14);  // π²/6
  for (double x = 0.003; x < 1e5; x *= 1.7) {
    const double h = 1e-4 * x;
    const double slope = (slow_digamma(x + h) - slow_digamma(x - h)) / (2 * h);
    EXPECT_NEAR(svi::math::trigamma(x), slope, 1e-7 * slope + 1e-11 / h) << x;
  }
}

TEST(LogGammaAndDigamma, InFloatAgreeWithDouble) {
  for (const double x : wide_range()) {
    if (x > 1e9) continue;  // its factors are beyond float32
    const auto single = static_cast<float>(x);
    const svi::math::LogGamma<float> found = svi::math::log_gamma_and_digamma(single);
    const double size = std::max(1.0, single * std::fabs(std::log(static_cast<double>(single))));
    EXPECT_LT(std::fabs(found.value - std::lgamma(static_cast<double>(single))),
              1e-6 * std::max(size, std::fabs(std::log(static_cast<double>(single)))))
        << x;
    EXPECT_LT(relative(found.digamma, slow_digamma(single)), 1e-6) << x;
    const svi::math::LogGamma<double> twice = svi::math::log_gamma_and_digamma(x);
    EXPECT_LT(relative(twice.digamma, slow_digamma(x)), 2e-14) << x;
  }
}

TEST(Exp, InFloat64AgreesWithTheCLibrary) {
  for (double x = -707; x < 709; x += 0.137)
    EXPECT_LT(std::fabs(svi::math::exp(x) / std::exp(x) - 1), 1e-15) << x;
  EXPECT_GE(svi::math::exp(-1e300), std::numeric_limits<double>::min());
  EXPECT_TRUE(std::isfinite(svi::math::exp(1e300)));
}

TEST(Log, AgreesWithTheCLibrary) {
  for (const double x : wide_range()) {
    EXPECT_LT(relative(svi::math::log(x), std::log(x)), 1e-15) << x;
    const auto single = static_cast<float>(x);
    EXPECT_LT(relative(svi::math::log(single), std::log(static_cast<double>(single))), 2e-7) << x;
  }
}

TEST(Exp, AgreesWithTheCLibraryAndIsNeverZeroOrInfinite) {
  for (float x = -86.5F; x < 88; x += 0.0137F) {
    const double expected = std::exp(static_cast<double>(x));
    EXPECT_LT(std::fabs(svi::math::exp(x) / expected - 1), 2e-7) << x;
  }
  EXPECT_GE(svi::math::exp(-1e30F), std::numeric_limits<float>::min());
  EXPECT_TRUE(std::isfinite(svi::math::exp(1e30F)));
}

TEST(Softplus, ValueAndDerivativeAgreeWithDouble) {
  for (float x = -80; x < 80; x += 0.0173F) {
    const auto single = svi::math::softplus(x);
    const double expected = (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(static_cast<double>(x))));
    const double derivative = 1 / (1 + std::exp(-static_cast<double>(x)));
    EXPECT_LT(std::fabs(single.value - expected), 3e-7 * std::max(1e-3, expected) + 1e-12) << x;
    EXPECT_LT(std::fabs(single.derivative / derivative - 1), 3e-7) << x;
  }
}

}  // namespace
