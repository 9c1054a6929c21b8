// The contract of tests/models/contract_test.cpp for a VAE with each likelihood.
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>

#include "models/instance.hpp"
#include "models/vae_features.hpp"
#include "svi/base/error.hpp"

namespace {

using svi::Contribution;
using svi::Minibatch;
using svi::Tensor;
using svi::test::Instance;

constexpr std::int64_t rows = 24;
constexpr std::int64_t width = 6;
const svi::DataShape shape{.training_rows = rows, .feature_shape = {width}};

struct Case {
  std::string name;
  std::vector<std::string> settings;
  bool counts = false;
  double levels = 0;  // 0: as they are; else features are multiples of 1/levels, or whole numbers up to it
};

void PrintTo(const Case& likelihood, std::ostream* out) { *out << likelihood.name; }

class VaeLikelihood : public testing::TestWithParam<Case> {
 protected:
  std::vector<std::string> settings(std::vector<std::string> more = {}) const {
    std::vector<std::string> all{"latent=2", "encoder=[5]", "decoder=[4]", "activation=tanh"};
    for (const std::string& setting : GetParam().settings) all.push_back(setting);
    for (const std::string& setting : more) all.push_back(setting);
    return all;
  }
  Instance instance(std::vector<std::string> more = {}) const {
    return Instance("vae", settings(std::move(more)), shape, at::kDouble);
  }
  Minibatch batch(std::int64_t first, std::int64_t last) const {
    Minibatch minibatch = svi::test::synthetic(GetParam().counts, width, first, last);
    if (GetParam().levels == 0) return minibatch;
    Tensor& features = std::get<svi::DenseRows>(minibatch.rows).features;
    features = at::floor(features * (GetParam().levels + 1)).clamp(0, GetParam().levels);
    if (GetParam().levels == 255) features = features / 255;
    return minibatch;
  }
  std::unique_ptr<svi::UpdateRule> rule() const {
    svi::OptimizerOptions options;
    options.type = "adam";
    options.learning_rate = 0.01;
    return svi::make_update_rule(options, {.total_steps = 1000});
  }
};

// Every fifth number of every tensor. Rounding moves a sum of 24 rows, some hundred nats, by 1e-13: the
// quotient by 1e-7; h² terms are below that.
void expect_gradient_of(const std::string& figure, Instance& model, const Minibatch& all) {
  const Contribution total = model.accumulate(all);
  const Tensor gradient = total.statistics.flat();
  const Tensor theta = model.state.parameters.flat();
  const auto value = [&] {
    const Contribution here = model.accumulate(all);
    return rows * model.model->training_metrics(model.state.parameters, here.terms).values.at(figure);
  };
  for (const svi::ParameterShape& parameter : model.state.parameters.shapes()) {
    const Tensor& values = model.state.parameters[parameter.name];
    const std::int64_t first = values.storage_offset();
    EXPECT_GT(gradient.narrow(0, first, values.numel()).abs().max().item<double>(), 1e-6) << parameter.name;
    for (std::int64_t i = first; i < first + values.numel(); i += 5) {
      const double before = theta[i].item<double>();
      theta[i] = before + 1e-6;
      const double up = value();
      theta[i] = before - 1e-6;
      const double down = value();
      theta[i] = before;
      const double expected = gradient[i].item<double>();
      EXPECT_NEAR((up - down) / 2e-6, expected, 1e-6 * std::max(1.0, std::fabs(expected)))
          << parameter.name << ' ' << i;
    }
  }
}

TEST_P(VaeLikelihood, GradientsAgreeWithDifferences) {
  Instance model = instance({"objective.samples=2"});
  const auto update = rule();
  for (int i = 0; i < 3; ++i) model.step(*update, batch(0, rows));
  expect_gradient_of("elbo", model, batch(0, rows));
}

// Each draw's log-likelihood then has a weight of its own.
TEST_P(VaeLikelihood, GradientsOfAWeightedBoundAgreeWithDifferences) {
  Instance model = instance({"objective.samples=3", "objective.bound=iwae"});
  const auto update = rule();
  for (int i = 0; i < 3; ++i) model.step(*update, batch(0, rows));
  expect_gradient_of("objective", model, batch(0, rows));
}

TEST_P(VaeLikelihood, FourPartsAddUpToTheWhole) {
  Instance model = instance();
  const Contribution whole = model.accumulate(batch(0, rows));
  Contribution sum = model.accumulate(batch(0, 0));
  for (const auto& [first, last] : {std::pair{0, 1}, {1, 10}, {10, 24}}) {
    const Contribution part = model.accumulate(batch(first, last));
    sum.statistics.flat().add_(part.statistics.flat());
    for (std::size_t i = 0; i < sum.terms.flat().size(); ++i) sum.terms.flat()[i] += part.terms.flat()[i];
  }
  const double size = whole.statistics.flat().abs().max().item<double>();
  EXPECT_GT(size, 0);
  EXPECT_LT((sum.statistics.flat() - whole.statistics.flat()).abs().max().item<double>(), 1e-12 * size);
  for (std::size_t i = 0; i < sum.terms.flat().size(); ++i)
    EXPECT_NEAR(sum.terms.flat()[i], whole.terms.flat()[i], 1e-12 * std::fabs(whole.terms.flat()[i]));
}

TEST_P(VaeLikelihood, AnEmptyShardAddsNothingAndAnnouncesTheSameRanges) {
  Instance model = instance();
  const auto announced = [&](const Minibatch& minibatch) {
    std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
    Contribution contribution = model.accumulate(batch(0, 0));
    contribution.on_ready = [&](std::int64_t first, std::int64_t last) { ranges.emplace_back(first, last); };
    model.model->accumulate(model.state.parameters, minibatch, {model.noise, model.state.previous_means},
                            contribution);
    if (minibatch.size() == 0) {
      EXPECT_EQ(contribution.statistics.flat().abs().sum().item<double>(), 0);
    }
    return ranges;
  };
  EXPECT_EQ(announced(batch(0, 0)), announced(batch(0, rows)));
}

TEST_P(VaeLikelihood, TrainingRaisesTheElbo) {
  Instance model = instance();
  const auto evaluated = [&] {
    const auto evaluation = model.model->evaluation(model.state.parameters, svi::EvaluationRows::held_out, 1);
    svi::Sums sums(evaluation->layout());
    evaluation->add(batch(0, rows), sums);
    return evaluation->finish(sums).values.at("elbo");
  };
  const double before = evaluated();
  const auto update = rule();
  for (int t = 0; t < 100; ++t) model.step(*update, batch(0, rows));
  EXPECT_GT(evaluated(), before);
}

// Nearly the same step in either precision.
TEST_P(VaeLikelihood, FloatAgreesWithDouble) {
  Instance exact = instance();
  Instance single("vae", settings(), shape, at::kFloat);
  const double elbo = exact.elbo(batch(0, rows));
  EXPECT_NEAR(single.elbo(batch(0, rows)), elbo, 1e-5 * std::max(1.0, std::fabs(elbo)));
}

INSTANTIATE_TEST_SUITE_P(
    All, VaeLikelihood,
    testing::Values(Case{"bernoulli", {"likelihood=bernoulli"}},
                    Case{"continuous_bernoulli", {"likelihood=continuous_bernoulli"}},
                    Case{"gaussian", {"likelihood=gaussian", "variance=0.3"}},
                    Case{"gaussian_learned", {"likelihood=gaussian", "variance=learned"}},
                    Case{"gaussian_per_feature", {"likelihood=gaussian", "variance=learned_per_feature"}},
                    Case{"gaussian_decoded", {"likelihood=gaussian", "variance=decoded"}},
                    Case{"categorical", {"likelihood=categorical", "levels=4"}, false, 3},
                    Case{"discretised_logistic", {"likelihood=discretised_logistic"}, false, 255},
                    Case{"poisson", {"likelihood=poisson"}, true},
                    Case{"negative_binomial", {"likelihood=negative_binomial"}, true},
                    Case{"zero_inflated", {"likelihood=zero_inflated_negative_binomial"}, true}),
    [](const auto& instance) { return instance.param.name; });

TEST(VaeCounts, AreDensifiedByRow) {
  const svi::CountRows counts{.starts = {0, 2, 2, 3}, .words = {1, 3, 0}, .counts = {5, 1, 2}};
  const Tensor expected =
      at::tensor({0.0, 5.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0}).view({3, 4});
  EXPECT_TRUE(at::equal(svi::densified(counts, 4, at::kDouble), expected.to(at::kDouble)));
  EXPECT_EQ(svi::densified({}, 4, at::kFloat).size(0), 0);
}

// What they take and what the encoder sees of them.
TEST(VaeCounts, AreCountedAsWorkingMemory) {
  const auto bytes = [](const std::string& likelihood, std::int64_t words) {
    return svi::test::make_model("vae",
                                 {"latent=2", "encoder=[5]", "decoder=[5]", "likelihood=" + likelihood},
                                 {.training_rows = 20, .feature_shape = {words}})
        ->workspace_bytes(8);
  };
  const auto a_word = [&](const std::string& likelihood) {
    return bytes(likelihood, 1001) - bytes(likelihood, 1000);
  };
  EXPECT_GE(a_word("poisson"), 8 * 4 * 3);  // counts, their logarithms, a rate
  EXPECT_GE(a_word("zero_inflated_negative_binomial"), 8 * 4 * 4);
}

// Bytes are levels as they are for the categorical likelihood, grey values for the others.
TEST(VaeLevels, AreBytesAsTheyAre) {
  Instance model("vae", {"latent=2", "encoder=[]", "decoder=[]", "likelihood=categorical", "levels=4"},
                 shape);
  Minibatch minibatch{.ids = {0, 1}};
  svi::DenseRows bytes;
  bytes.features = at::tensor({0, 1, 2, 3, 0, 1, 3, 2, 1, 0, 3, 3}, at::kByte).view({2, width});
  minibatch.rows = bytes;
  Minibatch same = minibatch;
  std::get<svi::DenseRows>(same.rows).features = bytes.features.to(at::kFloat);
  EXPECT_EQ(model.elbo(minibatch), model.elbo(same));
  EXPECT_NO_THROW(model.model->require_fit(minibatch));
  bytes.features[1][2] = 4;
  minibatch.ids = {7, 9};
  minibatch.rows = bytes;
  try {
    model.model->require_fit(minibatch);
    FAIL();
  } catch (const svi::Error& error) {
    EXPECT_NE(std::string(error.what()).find("row 9, feature 2 is 4"), std::string::npos) << error.what();
  }
}

}  // namespace
