#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
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
  double sum = 0;
  for (const double value : kl) sum += value;
  return sum;
}

TEST(DiagonalGaussian, KlIsTheClosedForm) {
  const Tensor posterior = normal(1, 2 * width, at::kDouble);
  const Tensor mean = posterior.narrow(1, 0, width);
  const Tensor log_variance = posterior.narrow(1, width, width);
  // Σ ln(σ_prior/σ) + (σ² + μ²)/2 − ½
  const Tensor kl = -0.5 * log_variance + 0.5 * (log_variance.exp() + mean * mean) - 0.5;
  EXPECT_NEAR(kl_of(posterior), kl.sum().item<double>(), 1e-12);
  EXPECT_NEAR(kl_of(posterior.to(at::kFloat)), kl.sum().item<double>(), 1e-4);
  EXPECT_NEAR(kl_of(at::zeros({rows, 2 * width}, at::kDouble)), 0, 1e-15);
}

// f = Σ a·z − w·KL(analytic): its gradient by central differences, h² error 1e-10.
TEST(DiagonalGaussian, AnalyticGradientAgreesWithDifferences) {
  const Tensor posterior = normal(1, 2 * width, at::kDouble);
  const Tensor noise = normal(2, width, at::kDouble);
  const Tensor slope = normal(4, width, at::kDouble);
  const auto value = [&](const Tensor& at_posterior) {
    Tensor z = at::empty({rows, width}, at::kDouble);
    gaussian::reparameterise(at_posterior, noise, z);
    return (slope * z).sum().item<double>() - 0.7 * kl_of(at_posterior);
  };
  Tensor gradient = at::zeros_like(posterior);
  gaussian::add_gradient_analytic(posterior, noise, slope, 0.7, gradient);
  for (std::int64_t i = 0; i < posterior.numel(); ++i) {
    Tensor up = posterior.clone();
    Tensor down = posterior.clone();
    up.view(-1)[i] += 1e-5;
    down.view(-1)[i] -= 1e-5;
    EXPECT_NEAR(gradient.view(-1)[i].item<double>(), (value(up) - value(down)) / 2e-5, 1e-8) << i;
  }
}

TEST(DiagonalGaussian, SampledGradientAgreesWithDifferences) {
  const Tensor posterior = normal(1, 2 * width, at::kDouble);
  const Tensor noise = normal(2, width, at::kDouble);
  const Tensor slope = normal(4, width, at::kDouble);
  const auto value = [&](const Tensor& at_posterior) {
    Tensor z = at::empty({rows, width}, at::kDouble);
    gaussian::reparameterise(at_posterior, noise, z);
    std::vector<double> kl(width, 0);
    gaussian::add_sampled_kl(at_posterior, noise, z, 1, kl);
    double sum = 0;
    for (const double term : kl) sum += term;
    return (slope * z).sum().item<double>() - 0.7 * sum;
  };
  Tensor z = at::empty({rows, width}, at::kDouble);
  gaussian::reparameterise(posterior, noise, z);
  Tensor gradient = at::zeros_like(posterior);
  gaussian::add_gradient_sampled(posterior, noise, z, slope, 0.7, 1, gradient);
  for (std::int64_t i = 0; i < posterior.numel(); ++i) {
    Tensor up = posterior.clone();
    Tensor down = posterior.clone();
    up.view(-1)[i] += 1e-5;
    down.view(-1)[i] -= 1e-5;
    EXPECT_NEAR(gradient.view(-1)[i].item<double>(), (value(up) - value(down)) / 2e-5, 1e-8) << i;
  }
}

}  // namespace
