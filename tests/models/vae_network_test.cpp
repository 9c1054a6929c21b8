// The contract of tests/models/contract_test.cpp for a VAE with each kind of network.
#include <gtest/gtest.h>

#include <cmath>

#include "models/instance.hpp"

namespace {

using svi::Minibatch;
using svi::Tensor;
using svi::test::Instance;

constexpr std::int64_t rows = 24;
constexpr std::int64_t width = 6;
const svi::DataShape shape{.training_rows = rows, .feature_shape = {width}};

Instance instance(const std::vector<std::string>& more,
                  std::vector<std::string> layers = {"encoder=[5, 7]", "decoder=[4, 3]"}) {
  std::vector<std::string> settings{"latent=2"};
  settings.insert(settings.end(), layers.begin(), layers.end());
  settings.insert(settings.end(), more.begin(), more.end());
  return Instance("vae", settings, shape, at::kDouble);
}

Minibatch batch(std::int64_t first, std::int64_t last) {
  return svi::test::synthetic(false, width, first, last);
}

class VaeNetwork : public testing::TestWithParam<std::vector<std::string>> {};

// Rounding moves a sum of 24 rows, some hundred nats, by 1e-13: the quotient by 1e-7; h² terms are below
// that.
TEST_P(VaeNetwork, GradientsAgreeWithDifferences) {
  Instance model = instance(GetParam());
  const Minibatch all = batch(0, rows);
  svi::OptimizerOptions options;
  options.type = "adam";
  options.learning_rate = 0.02;
  const auto update = svi::make_update_rule(options, {.total_steps = 1000});
  for (int i = 0; i < 5; ++i) model.step(*update, all);
  const Tensor gradient = model.accumulate(all).statistics.flat();
  const Tensor theta = model.state.parameters.flat();
  const auto elbo_at = [&](std::int64_t i, double value) {
    const double before = theta[i].item<double>();
    theta[i] = value;
    const double elbo = rows * model.elbo(all);
    theta[i] = before;
    return elbo;
  };
  for (const svi::ParameterShape& parameter : model.state.parameters.shapes()) {
    const Tensor& values = model.state.parameters[parameter.name];
    const std::int64_t first = values.storage_offset();
    EXPECT_GT(gradient.narrow(0, first, values.numel()).abs().max().item<double>(), 1e-6) << parameter.name;
    for (std::int64_t i = first; i < first + values.numel(); ++i) {
      constexpr double h = 1e-6;
      const double at = theta[i].item<double>();
      const double expected = gradient[i].item<double>();
      EXPECT_NEAR((elbo_at(i, at + h) - elbo_at(i, at - h)) / (2 * h), expected,
                  1e-6 * std::max(1.0, std::fabs(expected)))
          << parameter.name << ' ' << i - first;
    }
  }
}

TEST_P(VaeNetwork, PartsAddUpToTheWhole) {
  Instance model = instance(GetParam());
  const Tensor whole = model.accumulate(batch(0, rows)).statistics.flat();
  Tensor sum = at::zeros_like(whole);
  for (const auto& [first, last] : {std::pair{0, 0}, {0, 1}, {1, 10}, {10, 24}})
    sum.add_(model.accumulate(batch(first, last)).statistics.flat());
  const double size = whole.abs().max().item<double>();
  EXPECT_GT(size, 0);
  EXPECT_LT((sum - whole).abs().max().item<double>(), 1e-12 * size);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, VaeNetwork,
    testing::Values(std::vector<std::string>{"activation=relu"},
                    std::vector<std::string>{"activation=leaky_relu"},
                    std::vector<std::string>{"activation=tanh"}, std::vector<std::string>{"activation=gelu"},
                    std::vector<std::string>{"activation=silu"},
                    std::vector<std::string>{"activation=silu", "normalisation=layer"},
                    std::vector<std::string>{"activation=relu", "normalisation=layer", "initialisation=he"}));

double spread(const svi::ParameterSet& parameters, const std::string& name) {
  return parameters[name].square().mean().sqrt().item<double>();
}

// A uniform number in ±b has the standard deviation b/√3; of 20,000 of them it is known to 0.2 %: 2 % is ten
// standard errors, a false alarm in far less than 1e-9.
TEST(VaeInitialisation, WeightsHaveTheirSpreadAndBiasesTheirs) {
  const std::vector<std::string> layers{"encoder=[100, 200]", "decoder=[]"};
  const std::string weight = "encoder.1/weight";  // [200, 100]
  const Instance uniform = instance({}, layers);
  EXPECT_NEAR(spread(uniform.state.parameters, weight), 0.1 / std::sqrt(3), 0.02 * 0.1 / std::sqrt(3));
  EXPECT_GT(spread(uniform.state.parameters, "encoder.1/bias"), 0);
  const Instance he = instance({"initialisation=he"}, layers);
  EXPECT_NEAR(spread(he.state.parameters, weight), std::sqrt(2 / 100.), 0.02 * std::sqrt(2 / 100.));
  EXPECT_EQ(spread(he.state.parameters, "encoder.1/bias"), 0);
  const Instance glorot = instance({"initialisation=glorot"}, layers);
  EXPECT_NEAR(spread(glorot.state.parameters, weight), std::sqrt(2 / 300.), 0.02 * std::sqrt(2 / 300.));
}

// Before gain and bias each row of a normalised layer has mean 0 and variance 1, so that its inputs' scale is
// nothing.
TEST(VaeNormalisation, HidesTheScaleOfALayer) {
  Instance model = instance({"normalisation=layer", "activation=tanh"});
  const Minibatch all = batch(0, rows);
  const double before = model.elbo(all);
  model.state.parameters["encoder.0/weight"].mul_(7);
  EXPECT_NEAR(model.elbo(all), before, 1e-3 * std::fabs(before));  // but for the 1e-5 beside the variance
  Instance plain = instance({"activation=tanh"});
  const double plain_before = plain.elbo(all);
  plain.state.parameters["encoder.0/weight"].mul_(7);
  EXPECT_GT(std::fabs(plain.elbo(all) - plain_before), 1e-3 * std::fabs(plain_before));
}

}  // namespace
