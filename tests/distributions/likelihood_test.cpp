#include "svi/distributions/likelihood.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "svi/base/error.hpp"
#include "svi/base/random.hpp"

namespace {

using at::Tensor;

Tensor uniform(std::uint64_t datum, std::int64_t rows, std::int64_t columns) {
  Tensor values = at::empty({rows, columns}, at::kFloat);
  svi::Philox(5).fill_uniform(std::span(values.data_ptr<float>(), static_cast<std::size_t>(rows * columns)),
                              svi::Purpose::test_data, 0, datum);
  return values.to(at::kDouble);
}

std::unique_ptr<svi::Likelihood> make(const std::string& name) {
  svi::LikelihoodOptions options;
  options.likelihood = name;
  options.variance = 0.37;
  return svi::make_likelihood(options);
}

// Runs for every likelihood there is: value and gradient of the fused pass against `log_likelihood`.
TEST(EveryLikelihood, GradientAgreesWithDifferencesAndValueWithItself) {
  for (const std::string& name : svi::likelihood_names()) {
    const auto likelihood = make(name);
    const Tensor x = uniform(1, 3, 4);
    const Tensor output = uniform(2, 3, 4) * 6 - 3;
    Tensor gradient = output.clone();
    const double value = likelihood->log_likelihood_and_gradient(x, gradient, 0.5);
    EXPECT_NEAR(value, 0.5 * likelihood->log_likelihood(x, output).sum().item<double>(), 1e-12) << name;
    for (std::int64_t i = 0; i < output.numel(); ++i) {
      Tensor up = output.clone();
      Tensor down = output.clone();
      up.view(-1)[i] += 1e-5;
      down.view(-1)[i] -= 1e-5;
      const double difference =
          (likelihood->log_likelihood(x, up) - likelihood->log_likelihood(x, down)).sum().item<double>();
      EXPECT_NEAR(gradient.view(-1)[i].item<double>(), 0.5 * difference / 2e-5, 1e-8) << name << ' ' << i;
    }
  }
}

TEST(EveryLikelihood, FloatAgreesWithDouble) {
  for (const std::string& name : svi::likelihood_names()) {
    const auto likelihood = make(name);
    const Tensor x = uniform(1, 7, 33);
    const Tensor output = uniform(2, 7, 33) * 20 - 10;
    Tensor exact = output.clone();
    Tensor single = output.to(at::kFloat);
    const double value = likelihood->log_likelihood_and_gradient(x, exact, 1);
    EXPECT_NEAR(likelihood->log_likelihood_and_gradient(x.to(at::kFloat), single, 1), value,
                2e-6 * std::fabs(value))
        << name;
    // Inputs rounded to float move the gaussian's gradient by 1e-6/variance at most.
    EXPECT_LT((single.to(at::kDouble) - exact).abs().max().item<double>(), 5e-6) << name;
  }
}

TEST(Bernoulli, IsTheLogProbabilityOfBits) {
  const Tensor x = at::tensor({1.0, 0.0}, at::kDouble).view({1, 2});
  const Tensor logits = at::tensor({0.4, -1.2}, at::kDouble).view({1, 2});
  const double expected = std::log(1 / (1 + std::exp(-0.4))) + std::log(1 - 1 / (1 + std::exp(1.2)));
  EXPECT_NEAR(make("bernoulli")->log_likelihood(x, logits).item<double>(), expected, 1e-14);
}

TEST(Bernoulli, SurvivesExtremeLogits) {
  const Tensor x = at::tensor({1.0F, 0.0F, 1.0F, 0.0F}).view({1, 4});
  Tensor logits = at::tensor({1e4F, -1e4F, -1e4F, 1e4F}).view({1, 4});
  const double value = make("bernoulli")->log_likelihood_and_gradient(x, logits, 1);
  // Each term is 0 or −1e4 up to exp(−87), which float32 rounds away.
  EXPECT_EQ(value, -2e4);
  EXPECT_EQ(logits.view(-1)[2].item<double>(), 1);
  EXPECT_EQ(logits.view(-1)[3].item<double>(), -1);
}

TEST(Bernoulli, RefusesWhatIsNoProbability) {
  EXPECT_THROW(make("bernoulli")->require_fit(at::full({1, 2}, 1.5)), svi::Error);
  EXPECT_NO_THROW(make("bernoulli")->require_fit(at::full({1, 2}, 0.5)));
}

TEST(Gaussian, IsTheDensity) {
  const Tensor x = at::full({1, 1}, 1.3, at::kDouble);
  const Tensor mean = at::full({1, 1}, 1.0, at::kDouble);
  const double expected = -0.5 * std::log(2 * M_PI * 0.37) - 0.09 / (2 * 0.37);
  EXPECT_NEAR(make("gaussian")->log_likelihood(x, mean).item<double>(), expected, 1e-14);
}

}  // namespace
