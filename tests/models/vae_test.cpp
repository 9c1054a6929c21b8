#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "models/ppca.hpp"
#include "models/vae_features.hpp"
#include "svi/base/error.hpp"

namespace {

using svi::Minibatch;
using svi::Tensor;
using svi::test::Instance;
using svi::test::Ppca;
using svi::test::synthetic;

constexpr std::int64_t width = Ppca::width;

// With q the exact posterior, ln p(x, z) − ln q(z|x) = ln p(x) for every z: the sampled form is exact for any
// draw, so the objective "sampled" must give ln p(x) to rounding.
TEST(Vae, SampledElboOfPpcaIsTheEvidenceExactly) {
  Ppca ppca;
  const Minibatch rows = synthetic(false, width, 0, 20);
  const double expected = ppca.log_p(std::get<svi::DenseRows>(rows.rows).features) / 20;
  Ppca sampled({"objective.elbo=sampled"});
  EXPECT_NEAR(sampled.model.elbo(rows), expected, 1e-10);
  // A posterior of another width loses: the equality is no accident.
  sampled.widen(0.5);
  EXPECT_LT(sampled.model.elbo(rows), expected - 1e-3);
}

// The analytic form differs by noise of mean zero. Over 200,000 samples of each row its standard error is
// estimated from 20 independent steps; 5 of them are passed by chance once in 1.7 million runs.
TEST(Vae, BothFormsOfTheElboAgreeInMean) {
  Ppca ppca;
  const Minibatch rows = synthetic(false, width, 0, 20);
  const auto mean_and_error = [&](const char* form) {
    Ppca model({std::string("objective.elbo=") + form, "objective.samples=1000"});
    // Away from the posterior, where both forms have noise.
    model.model.state.parameters["encoder.0/bias"].add_(0.2);
    double sum = 0;
    double squares = 0;
    for (std::int64_t step = 0; step < 20; ++step) {
      const double value = model.model.elbo(synthetic(false, width, 0, 20, step));
      sum += value;
      squares += value * value;
    }
    const double mean = sum / 20;
    return std::pair{mean, std::sqrt((squares / 20 - mean * mean) / 19)};
  };
  const auto [analytic, analytic_error] = mean_and_error("analytic");
  const auto [sampled, sampled_error] = mean_and_error("sampled");
  EXPECT_GT(analytic_error, 0);
  EXPECT_NEAR(analytic, sampled, 5 * std::hypot(analytic_error, sampled_error));
  EXPECT_LT(std::hypot(analytic_error, sampled_error), 0.01);
  EXPECT_LT(analytic, ppca.log_p(std::get<svi::DenseRows>(rows.rows).features) / 20);
}

// Gradients of a deep network with several samples, in both forms: central differences in double.
TEST(Vae, GradientsAgreeWithDifferences) {
  for (const char* form : {"analytic", "sampled"}) {
    for (const char* activation : {"tanh", "relu"}) {
      Instance model("vae",
                     {"latent=2", "encoder=[5, 4]", "decoder=[3, 5]", std::string("activation=") + activation,
                      std::string("objective.elbo=") + form, "objective.samples=3"},
                     {.training_rows = 8, .feature_shape = {width}}, at::kDouble);
      const Minibatch rows = synthetic(false, width, 0, 8);
      const svi::Contribution total = model.accumulate(rows);
      const Tensor theta = model.state.parameters.flat();
      for (std::int64_t i = 0; i < theta.numel(); i += 3) {
        const double before = theta[i].item<double>();
        theta[i] = before + 1e-6;
        const double up = model.elbo(rows);
        theta[i] = before - 1e-6;
        const double down = model.elbo(rows);
        theta[i] = before;
        // Rounding moves the ELBO, a few nats, by some 1e-15: the quotient by some 1e-9; h² terms are below
        // that.
        EXPECT_NEAR(total.statistics.flat()[i].item<double>() / 8, (up - down) / 2e-6, 5e-9)
            << form << ' ' << activation << ' ' << i;
      }
    }
  }
}

TEST(Vae, FloatAgreesWithDouble) {
  const svi::DataShape shape{.training_rows = 8, .feature_shape = {width}};
  Instance exact("vae", {"latent=2", "encoder=[5]", "decoder=[5]"}, shape, at::kDouble);
  Instance single("vae", {"latent=2", "encoder=[5]", "decoder=[5]"}, shape, at::kFloat);
  const Minibatch rows = synthetic(false, width, 0, 8);
  // Six features and two dimensions, each a term below 1 nat of half a dozen operations right to 6e-8.
  EXPECT_NEAR(single.elbo(rows), exact.elbo(rows), 8 * 6 * 6e-8);
  // Eight rows, each with a product below 1 of as many operations.
  EXPECT_LT((exact.accumulate(rows).statistics["decoder.0/weight"] -
             single.accumulate(rows).statistics["decoder.0/weight"])
                .abs()
                .max()
                .item<double>(),
            8 * 6 * 6e-8);
}

TEST(Vae, BytesAreScaled) {
  svi::DenseRows grey;
  grey.features = at::full({200, width}, 51, at::kByte);  // 0.2
  Minibatch rows;
  for (std::int64_t i = 0; i < 200; ++i) rows.ids.push_back(i);
  rows.rows = grey;
  const svi::DataShape shape{.training_rows = 200, .feature_shape = {width}};
  Instance plain("vae", {"latent=2", "encoder=[]", "decoder=[]"}, shape);
  svi::DenseRows floats;
  floats.features = at::full({200, width}, 0.2F);
  Minibatch same = rows;
  same.rows = floats;
  EXPECT_EQ(plain.elbo(rows), plain.elbo(same));  // 51/255 is the float32 nearest 0.2
}

Tensor binarised(const Tensor& grey, std::uint64_t seed, std::int64_t step, std::int64_t first_row) {
  std::vector<std::int64_t> ids(static_cast<std::size_t>(grey.size(0)));
  std::iota(ids.begin(), ids.end(), first_row);
  return svi::binarised(grey, ids, step, svi::Philox(seed));
}

// 40,000 pixels of grey g: their mean has the standard error √(g(1 − g)/40,000), five of which are passed by
// chance once in 1.7 million keys.
TEST(Binarisation, DrawsBitsWithTheGreyValuesAsProbabilities) {
  for (const double grey : {0.0, 0.2, 0.5, 0.9, 1.0}) {
    const Tensor bits = binarised(at::full({4000, 10}, grey, at::kFloat), 1, 0, 0);
    EXPECT_TRUE(((bits == 0) | (bits == 1)).all().item<bool>());
    EXPECT_NEAR(bits.mean().item<double>(), grey, 5 * std::sqrt(grey * (1 - grey) / 40000) + 1e-7);
  }
}

TEST(Binarisation, DependsOnSeedStepAndRowAlone) {
  const Tensor grey = at::full({20, 10}, 0.5F);
  const Tensor bits = binarised(grey, 1, 3, 100);
  EXPECT_TRUE(at::equal(binarised(grey, 1, 3, 100), bits));
  EXPECT_FALSE(at::equal(binarised(grey, 2, 3, 100), bits));
  EXPECT_FALSE(at::equal(binarised(grey, 1, 4, 100), bits));
  EXPECT_FALSE(at::equal(bits[0], bits[1]));
  // Row 105 alone, as on another rank.
  EXPECT_TRUE(at::equal(binarised(grey.slice(0, 0, 1), 1, 3, 105)[0], bits[5]));
}

// The model with binarisation on grey rows is the model without it on the rows drawn beforehand.
TEST(Binarisation, IsWhatTheModelSees) {
  const svi::DataShape shape{.training_rows = 20, .feature_shape = {width}};
  Instance plain("vae", {"latent=2", "encoder=[]", "decoder=[]"}, shape);
  Instance binary("vae", {"latent=2", "encoder=[]", "decoder=[]", "binarisation=dynamic"}, shape);
  for (const std::int64_t step : {0, 1}) {
    const Minibatch grey = synthetic(false, width, 0, 20, step);
    Minibatch drawn = grey;
    const Tensor& features = std::get<svi::DenseRows>(grey.rows).features;
    std::get<svi::DenseRows>(drawn.rows).features = binarised(features, plain.noise.seed(), step, 0);
    EXPECT_EQ(binary.elbo(grey), plain.elbo(drawn));
    EXPECT_NE(binary.elbo(grey), plain.elbo(grey));
  }
}

// Each sample brings an output of its own, its hidden layers and their gradients.
TEST(Vae, WorkspaceGrowsWithTheSamples) {
  const svi::DataShape shape{.training_rows = 20, .feature_shape = {width}};
  const auto bytes = [&](const std::string& samples) {
    return svi::test::make_model("vae", {"latent=2", "decoder=[5]", "objective.samples=" + samples}, shape)
        ->workspace_bytes(8);
  };
  EXPECT_GE(bytes("11") - bytes("1"), 10 * 8 * (width + 2 * 5) * static_cast<std::int64_t>(sizeof(float)));
}

TEST(Vae, CountsActiveUnits) {
  Instance model("vae", {"latent=2", "encoder=[]", "decoder=[]"},
                 {.training_rows = 50, .feature_shape = {width}});
  const Tensor weight = model.state.parameters["encoder.0/weight"];
  weight.zero_();
  weight[0].fill_(1.0);   // E[z₀|x] = Σ x: variance width/12
  weight[1].fill_(0.01);  // variance width/12 · 1e-4: inactive
  const auto evaluation = model.model->evaluation(model.state.parameters, svi::EvaluationRows::held_out, 1);
  svi::Sums sums(evaluation->layout());
  evaluation->add(synthetic(false, width, 0, 50), sums);
  const svi::Metrics metrics = evaluation->finish(sums);
  EXPECT_EQ(metrics.values.at("active_units"), 1);
  ASSERT_EQ(metrics.vectors.at("kl_per_dimension").size(), 2U);
  EXPECT_NEAR(metrics.vectors.at("kl_per_dimension")[0] + metrics.vectors.at("kl_per_dimension")[1],
              metrics.values.at("kl"), 1e-12);
  EXPECT_NEAR(metrics.values.at("elbo"), metrics.values.at("reconstruction") - metrics.values.at("kl"),
              1e-12);
}

TEST(Vae, RefusesBinarisationOfWhatIsNotBernoulli) {
  EXPECT_THROW(svi::test::make_model("vae", {"likelihood=gaussian", "binarisation=dynamic"},
                                     {.training_rows = 1, .feature_shape = {width}}),
               svi::Error);
}

TEST(Vae, RefusesFeaturesOutsideTheLikelihood) {
  const auto model = svi::test::make_model("vae", {}, {.training_rows = 1, .feature_shape = {width}});
  svi::DenseRows rows;
  rows.features = at::full({1, width}, 2.0F);
  EXPECT_THROW(model->require_fit({.ids = {0}, .rows = rows}), svi::Error);
}

}  // namespace
