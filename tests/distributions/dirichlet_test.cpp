#include "svi/distributions/dirichlet.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "svi/distributions/gamma.hpp"

namespace {

TEST(Dirichlet, DivergenceFromItselfIsZero) {
  EXPECT_NEAR(svi::dirichlet_kl(std::vector<float>(7, 0.25F), 0.25), 0, 1e-12);
}

// KL(Beta(a, b) ‖ Beta(p, p)) by the trapezoid rule.
double beta_kl_by_quadrature(double a, double b, double p) {
  const auto log_density = [](double x, double s, double t) {
    return std::lgamma(s + t) - std::lgamma(s) - std::lgamma(t) + (s - 1) * std::log(x) +
           (t - 1) * std::log1p(-x);
  };
  constexpr int cells = 200000;
  double sum = 0;
  for (int i = 1; i < cells; ++i) {
    const double x = static_cast<double>(i) / cells;
    const double q = log_density(x, a, b);
    sum += std::exp(q) * (q - log_density(x, p, p)) / cells;
  }
  return sum;
}

TEST(Dirichlet, DivergenceOfABetaAgreesWithQuadrature) {
  const std::vector<float> concentration{3.5F, 2.25F};
  EXPECT_NEAR(svi::dirichlet_kl(concentration, 1.5), beta_kl_by_quadrature(3.5, 2.25, 1.5), 1e-7);
}

// 20,000 draws: the mean's standard error is 10/√20000 = 0.071; five of them are passed by chance 6e-7 times.
TEST(GammaDraw, HasMeanAndVarianceOfItsShape) {
  const svi::Philox noise(11);
  double sum = 0;
  double squares = 0;
  constexpr int draws = 20000;
  for (std::uint64_t i = 0; i < draws; ++i) {
    const double x = svi::gamma_draw(100, noise, svi::Purpose::test_data, 0, i);
    sum += x;
    squares += x * x;
  }
  const double mean = sum / draws;
  EXPECT_NEAR(mean, 100, 5 * 0.071);
  // Var of the sample variance of a Gamma(100): (μ4 − σ⁴)/n = (2·100² + 6·100)/n: standard error 1.015.
  EXPECT_NEAR(squares / draws - mean * mean, 100, 5 * 1.02);
}

}  // namespace
