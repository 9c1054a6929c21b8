#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "svi/base/random.hpp"
#include "svi/distributions/diagonal_gaussian.hpp"

namespace {

using at::Tensor;
namespace gaussian = svi::diagonal_gaussian;

constexpr std::int64_t rows = 3;
constexpr std::int64_t width = 5;

Tensor normal(std::uint64_t datum, std::int64_t columns, at::ScalarType type) {
  Tensor values = at::empty({rows, columns}, at::kDouble);
  svi::Philox(3).fill_normal(std::span(values.data_ptr<double>(), static_cast<std::size_t>(rows * columns)),
                             svi::Purpose::test_data, 0, datum);
  return values.to(type);
}

double kl_of(const Tensor& posterior) {
  std::vector<double> kl(width, 0);
  gaussian::add_kl(posterior, kl);
  return std::accumulate(kl.begin(), kl.end(), 0.0);
}

Tensor z_of(const Tensor& posterior, const Tensor& noise) {
  Tensor z = at::empty({rows, width}, at::kDouble);
  gaussian::reparameterise(posterior, noise, z);
  return z;
}

// Central differences of step h = 1e-5: the next term is h² times a third derivative, and rounding moves
// values of about 10 by 1e-15, hence the quotient by 1e-10.
template <typename Function>
void expect_gradient(const Tensor& gradient, const Function& value, const Tensor& posterior) {
  for (std::int64_t i = 0; i < posterior.numel(); ++i) {
    Tensor up = posterior.clone();
    Tensor down = posterior.clone();
    up.view(-1)[i] += 1e-5;
    down.view(-1)[i] -= 1e-5;
    EXPECT_NEAR(gradient.view(-1)[i].item<double>(), (value(up) - value(down)) / 2e-5, 2e-9) << i;
  }
}

TEST(DiagonalGaussian, KlIsTheClosedForm) {
  const Tensor posterior = normal(1, 2 * width, at::kDouble);
  const Tensor mean = posterior.narrow(1, 0, width);
  const Tensor log_variance = posterior.narrow(1, width, width);
  // Σ ln(σ_prior/σ) + (σ² + μ²)/2 − ½
  const Tensor kl = -0.5 * log_variance + 0.5 * (log_variance.exp() + mean * mean) - 0.5;
  EXPECT_NEAR(kl_of(posterior), kl.sum().item<double>(), 1e-12);
  // Fifteen terms below 10, each of half a dozen operations right to 6e-8.
  EXPECT_NEAR(kl_of(posterior.to(at::kFloat)), kl.sum().item<double>(), 15 * 10 * 6 * 6e-8);
  EXPECT_NEAR(kl_of(at::zeros({rows, 2 * width}, at::kDouble)), 0, 1e-15);
}

// f = Σ a·z − w·KL(analytic).
TEST(DiagonalGaussian, AnalyticGradientAgreesWithDifferences) {
  const Tensor posterior = normal(1, 2 * width, at::kDouble);
  const Tensor noise = normal(2, width, at::kDouble);
  const Tensor slope = normal(4, width, at::kDouble);
  const auto value = [&](const Tensor& at_posterior) {
    return (slope * z_of(at_posterior, noise)).sum().item<double>() - 0.7 * kl_of(at_posterior);
  };
  Tensor gradient = at::zeros_like(posterior);
  gaussian::add_gradient_analytic(posterior, noise, slope, 0.7, gradient);
  expect_gradient(gradient, value, posterior);
}

TEST(DiagonalGaussian, SampledGradientAgreesWithDifferences) {
  const Tensor posterior = normal(1, 2 * width, at::kDouble);
  const Tensor noise = normal(2, width, at::kDouble);
  const Tensor slope = normal(4, width, at::kDouble);
  const auto value = [&](const Tensor& at_posterior) {
    const Tensor z = z_of(at_posterior, noise);
    std::vector<double> kl(width, 0);
    gaussian::add_sampled_kl(at_posterior, noise, z, 1, kl);
    return (slope * z).sum().item<double>() - 0.7 * std::accumulate(kl.begin(), kl.end(), 0.0);
  };
  Tensor gradient = at::zeros_like(posterior);
  gaussian::add_gradient_sampled(posterior, noise, z_of(posterior, noise), slope, 0.7, gradient);
  expect_gradient(gradient, value, posterior);
}

}  // namespace
