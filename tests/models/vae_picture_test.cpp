// The contract of tests/models/contract_test.cpp for a VAE with convolutional networks, and with dropout.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/differences.hpp"
#include "models/dropout.hpp"

namespace svi {
namespace {

using test::expect_gradient_of;
using test::expect_ranks_add_up;
using test::Instance;
using test::synthetic;

constexpr std::int64_t width = 48;  // 4 · 6 · 2

struct Kind {
  std::vector<std::string> settings;
  std::vector<std::int64_t> shape = {4, 6, 2};
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << fmt::format("{}", kind.settings); }

Instance instance(const Kind& kind, at::ScalarType type = at::kDouble) {
  std::vector<std::string> settings{"latent=2",     "encoder=[5]",    "decoder=[]", "network=convolutional",
                                    "channels=[3]", "activation=tanh"};
  settings.insert(settings.end(), kind.settings.begin(), kind.settings.end());
  return Instance("vae", settings, {.training_rows = 24, .feature_shape = kind.shape}, type);
}

Minibatch rows_of(std::int64_t first, std::int64_t last, std::int64_t step = 0) {
  return synthetic(false, width, first, last, step);
}

void train(Instance& model, std::int64_t first, std::int64_t last) {
  OptimizerOptions options;
  options.type = "adam";
  options.learning_rate = 0.02;
  const auto update = make_update_rule(options, {.total_steps = 1000});
  for (std::int64_t step = first; step < last; ++step) model.step(*update, rows_of(0, 24, step));
}

class VaePictures : public testing::TestWithParam<Kind> {};

TEST_P(VaePictures, GradientsAgreeWithDifferences) {
  Instance model = instance(GetParam());
  train(model, 0, 3);  // away from biases of zero
  const bool trains_elbo = !model.accumulate(rows_of(0, 6)).terms.contains("objective");
  expect_gradient_of(model, trains_elbo ? "elbo" : "objective", rows_of(0, 6));
}

TEST_P(VaePictures, RanksAddUp) {
  Instance model = instance(GetParam());
  expect_ranks_add_up(model, width);
}

TEST_P(VaePictures, AnotherProgramGoesOnAlike) {
  Instance whole = instance(GetParam());
  train(whole, 0, 4);
  Instance first = instance(GetParam());
  train(first, 0, 2);
  const Tensor between = first.state.parameters.flat().clone();
  Instance second = instance(GetParam());
  second.state = first.state;
  train(second, 2, 4);
  EXPECT_TRUE(at::equal(whole.state.parameters.flat(), second.state.parameters.flat()));
  EXPECT_FALSE(at::equal(whole.state.parameters.flat(), between));
}

// Other kernels do the work in float32. Of 24 rows and some hundred terms each, right to 6e-8.
TEST_P(VaePictures, FloatAgreesWithDouble) {
  Instance exact = instance(GetParam());
  Instance single = instance(GetParam(), at::kFloat);
  const Tensor expected = exact.accumulate(rows_of(0, 24)).statistics.flat();
  const Tensor found = single.accumulate(rows_of(0, 24)).statistics.flat().to(at::kDouble);
  EXPECT_LT((found - expected).abs().max().item<double>(), 1e-5 * expected.abs().max().item<double>());
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, VaePictures,
    testing::Values(
        Kind{{}}, Kind{{"strides=[1]", "kernels=[3]", "activation=silu"}, {6, 8}},
        Kind{{"channels=[3, 4]", "kernels=[4, 3]", "strides=[2, 1]", "encoder=[]", "decoder=[6]"}},
        Kind{{"residual_blocks=2", "activation=gelu"}},
        Kind{{"residual_blocks=1", "normalisation=layer", "initialisation=glorot"}},
        Kind{{"residual_blocks=1", "dropout=0.3", "objective.samples=2"}},
        Kind{{"normalisation=layer", "dropout=0.3", "activation=leaky_relu"}, {8, 6}},
        Kind{{"likelihood=discretised_logistic"}}, Kind{{"likelihood=gaussian", "variance=decoded"}},
        Kind{{"objective.samples=4", "objective.bound=iwae", "objective.elbo=sampled", "dropout=0.2"}},
        Kind{{"network=mlp", "encoder=[5, 4]", "decoder=[4]", "dropout=0.3"}},
        Kind{{"network=mlp", "encoder=[5, 4]", "activation=gelu", "normalisation=layer", "dropout=0.5",
              "objective.samples=2"}}));

TEST(Dropouts, AreNotMadeInEvaluation) {
  for (const char* network : {"network=mlp", "network=convolutional"}) {
    Instance plain = instance({{network}});
    Instance dropping = instance({{network, "dropout=0.5"}});
    const auto elbo = [](Instance& model, std::int64_t step) {
      const auto evaluation = model.model->evaluation(model.state.parameters, EvaluationRows::held_out, 7);
      Sums sums(evaluation->layout());
      evaluation->add(rows_of(0, 24, step), sums);
      return evaluation->finish(sums).values.at("elbo");
    };
    EXPECT_EQ(elbo(dropping, 0), elbo(plain, 0));
    EXPECT_NEAR(plain.elbo(rows_of(0, 24)), elbo(plain, 0), 1e-10);
    EXPECT_GT(std::fabs(dropping.elbo(rows_of(0, 24)) - elbo(plain, 0)), 1e-3);
  }
}

std::vector<std::int64_t> ids_from(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> ids(static_cast<std::size_t>(count));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

Tensor dropped(const Tensor& values, double rate, std::int64_t step, const std::vector<std::int64_t>& ids,
               std::int64_t layer = 0, std::uint64_t seed = 1) {
  const Philox noise(seed);
  const TrainingRows training{noise, step, ids};
  Dropout dropout(rate);
  return dropout.forward(values, &training, layer).clone();
}

// 100,000 units: the share that is left has the standard error √(p(1 − p)/100,000), five of which are passed
// by chance once in 1.7 million keys.
TEST(Dropouts, LeaveOutTheirShareAndKeepTheMean) {
  for (const double rate : {0.1, 0.5, 0.9}) {
    const Tensor kept = dropped(at::ones({1000, 100}), rate, 3, ids_from(0, 1000));
    const double share = (kept == 0).to(at::kDouble).mean().item<double>();
    EXPECT_NEAR(share, rate, 5 * std::sqrt(rate * (1 - rate) / 100000));
    EXPECT_TRUE(((kept == 0) | ((kept - 1 / (1 - rate)).abs() < 1e-5)).all().item<bool>());
  }
}

TEST(Dropouts, DependOnSeedStepRowSampleAndLayerAlone) {
  const Tensor ones = at::ones({20, 100});
  const Tensor all = dropped(ones, 0.5, 3, ids_from(100, 20));
  EXPECT_TRUE(at::equal(dropped(ones.narrow(0, 0, 5), 0.5, 3, ids_from(110, 5)), all.narrow(0, 10, 5)));
  EXPECT_FALSE(at::equal(dropped(ones, 0.5, 4, ids_from(100, 20)), all));
  EXPECT_FALSE(at::equal(dropped(ones, 0.5, 3, ids_from(100, 20), 1), all));
  EXPECT_FALSE(at::equal(dropped(ones, 0.5, 3, ids_from(100, 20), 0, 2), all));
  const Tensor samples = dropped(ones, 0.5, 3, ids_from(100, 10));  // two of each row
  EXPECT_TRUE(at::equal(samples.narrow(0, 0, 10), all.narrow(0, 0, 10)));
  EXPECT_FALSE(at::equal(samples.narrow(0, 10, 10), samples.narrow(0, 0, 10)));
}

TEST(Dropouts, LeaveOutWholeChannelsOfMaps) {
  const Tensor kept = dropped(at::ones({50, 8, 3, 2}), 0.5, 0, ids_from(0, 50)).flatten(2);
  EXPECT_TRUE(at::equal(kept.amax(2), kept.amin(2)));
  EXPECT_GT((kept == 0).sum().item<std::int64_t>(), 0);
  EXPECT_LT((kept == 0).sum().item<std::int64_t>(), kept.numel());
}

TEST(VaePictures, TakeWorkspaceForTheirMaps) {
  const auto bytes = [](const std::string& channels) {
    return instance({{"channels=" + channels}}).model->workspace_bytes(10);
  };
  // Both networks keep convolution and activation of 6 pixels.
  EXPECT_GE(bytes("[50]") - bytes("[3]"), 10 * 47 * 6 * 4 * static_cast<std::int64_t>(sizeof(float)));
}

TEST(VaePictures, RefuseCountsAndRowsWithoutShape) {
  test::expect_vae_refused({"network=convolutional"}, {"[6]", "pictures", "model.network: mlp"});
  test::expect_vae_refused({"network=convolutional", "likelihood=zero_inflated_negative_binomial"},
                           {"pictures"});
}

}  // namespace
}  // namespace svi
