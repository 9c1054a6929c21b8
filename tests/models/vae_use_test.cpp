#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "models/instance.hpp"
#include "models/ppca.hpp"
#include "models/vae.hpp"
#include "svi/models/latent_model.hpp"

namespace svi::test {
namespace {

LatentModel& latent_of(Instance& instance) { return dynamic_cast<LatentModel&>(*instance.model); }
vae::Vae& vae_of(Instance& instance) { return dynamic_cast<vae::Vae&>(*instance.model); }
const Tensor& features_of(const Minibatch& rows) { return std::get<DenseRows>(rows.rows).features; }

Tensor evidence_of(Instance& instance, const Minibatch& rows, std::int64_t samples) {
  return latent_of(instance).log_evidence(instance.state.parameters, rows, samples, instance.noise);
}

// ln p(x, z) − ln q(z|x) is ln p(x) for every z: exact at any L, also where L is no whole number of chunks.
TEST(LogEvidence, IsExactWhereQIsThePosterior) {
  Ppca ppca;
  const Minibatch rows = synthetic(false, Ppca::width, 0, 20);
  for (const std::int64_t samples : {1, 2, 249, 250, 251, 1000}) {
    const Tensor evidence = evidence_of(ppca.model, rows, samples);
    for (std::int64_t b = 0; b < 20; ++b)
      EXPECT_NEAR(evidence[b].item<double>(), ppca.log_p(features_of(rows).narrow(0, b, 1)), 1e-10)
          << samples;
  }
}

struct MeanAndError {
  double mean = 0;
  double error = 0;
};

MeanAndError mean_of(const Tensor& values) {
  return {values.mean().item<double>(),
          values.std().item<double>() / std::sqrt(static_cast<double>(values.numel()))};
}

// Burda, Grosse and Salakhutdinov 2016, theorem 1, with a q that is too wide: gaps over five standard errors.
TEST(LogEvidence, RisesWithTheSamplesTowardsTheEvidence) {
  Ppca ppca;
  ppca.widen(1.0);
  const Minibatch rows = synthetic(false, Ppca::width, 0, 2000);
  const Tensor exact = at::empty({2000}, at::kDouble);
  for (std::int64_t b = 0; b < 2000; ++b) exact[b] = ppca.log_p(features_of(rows).narrow(0, b, 1));
  const RowBounds bounds = latent_of(ppca.model).bounds(ppca.model.state.parameters, rows, Philox(3));
  const Tensor five = evidence_of(ppca.model, rows, 5);
  for (const Tensor& gap :
       {five - (bounds.reconstruction - bounds.kl), evidence_of(ppca.model, rows, 50) - five, exact - five}) {
    EXPECT_GT(mean_of(gap).mean, 5 * mean_of(gap).error);
  }
  const Tensor end = evidence_of(ppca.model, synthetic(false, Ppca::width, 0, 100), 20000);
  const MeanAndError rest = mean_of(exact.narrow(0, 0, 100) - end);
  EXPECT_LT(std::abs(rest.mean), 5 * rest.error);
  EXPECT_LT(rest.error, 2e-3);
}

// The same weights written out, over draws that can be asked for, of a network that is not linear.
TEST(LogEvidence, IsTheMeanOfTheWeights) {
  Instance model(
      "vae",
      {"latent=2", "encoder=[5]", "decoder=[4]", "activation=tanh", "likelihood=gaussian", "variance=0.3"},
      {.training_rows = 20, .feature_shape = {6}}, at::kDouble);
  LatentModel& latent = latent_of(model);
  const Minibatch rows = synthetic(false, 6, 3, 8);
  constexpr std::int64_t samples = 613;
  const Posterior q = latent.encode(model.state.parameters, rows, model.noise);
  const Tensor z = posterior_draws(q, rows.ids, samples, model.noise).view({5, samples, 2});
  const Tensor evidence = evidence_of(model, rows, samples);
  for (std::int64_t b = 0; b < 5; ++b) {
    const Tensor mean = latent.decode(model.state.parameters, z[b]);
    const Tensor log_likelihood =
        (-0.5 * (mean - features_of(rows)[b]).square() / 0.3 - 0.5 * std::log(2 * std::numbers::pi * 0.3))
            .sum(1);
    const Tensor log_prior = (-0.5 * z[b].square()).sum(1);
    const Tensor log_q =
        (-0.5 * ((z[b] - q.mean[b]) / q.deviation[b]).square() - q.deviation[b].log()).sum(1);
    const double expected = at::logsumexp(log_likelihood + log_prior - log_q, {0}).item<double>() -
                            std::log(static_cast<double>(samples));
    EXPECT_NEAR(evidence[b].item<double>(), expected, 1e-10);
  }
}

// Ranks get different rows together: to the bit, that must not matter.
TEST(LogEvidence, OfARowIsTheSameBesideAnyOthers) {
  Instance model("vae", {"latent=3", "encoder=[20]", "decoder=[30]"},
                 {.training_rows = 40, .feature_shape = {36}});
  const Tensor all = evidence_of(model, synthetic(false, 36, 0, 40), 300);
  for (const std::int64_t row : {0, 7, 39}) {
    const Tensor alone = evidence_of(model, synthetic(false, 36, row, row + 1), 300);
    EXPECT_EQ(alone[0].item<double>(), all[row].item<double>());
  }
  EXPECT_NE(all[0].item<double>(), evidence_of(model, synthetic(false, 36, 0, 1), 301)[0].item<double>());
}

TEST(LatentModel, EncodesAsForwardDoes) {
  for (const char* binarisation : {"none", "dynamic"}) {
    Instance model("vae",
                   {"latent=3", "encoder=[20]", "decoder=[30]", std::string("binarisation=") + binarisation},
                   {.training_rows = 40, .feature_shape = {36}});
    const Minibatch rows = synthetic(false, 36, 0, 40, 9);
    const Posterior found = latent_of(model).encode(model.state.parameters, rows, model.noise);
    const vae::Pass pass = vae_of(model).forward(model.state.parameters, rows, model.noise);
    EXPECT_TRUE(at::equal(found.mean, pass.posterior.narrow(1, 0, 3)));
    EXPECT_TRUE(at::allclose(found.deviation.square().log(), pass.posterior.narrow(1, 3, 3), 1e-5, 1e-6));
    EXPECT_GT(found.deviation.min().item<double>(), 0);
  }
}

// What is found for a row stays when the model is used again, though networks have buffers.
TEST(LatentModel, GivesTensorsOfItsOwn) {
  for (const char* likelihood : {"bernoulli", "gaussian"}) {
    Instance model("vae", {"latent=3", std::string("likelihood=") + likelihood},
                   {.training_rows = 40, .feature_shape = {36}});
    LatentModel& latent = latent_of(model);
    const Posterior q = latent.encode(model.state.parameters, synthetic(false, 36, 0, 4), model.noise);
    const Tensor mean = q.mean.clone();
    const Tensor decoded = latent.decode(model.state.parameters, q.mean);
    const Tensor copy = decoded.clone();
    latent.encode(model.state.parameters, synthetic(false, 36, 4, 8), model.noise);
    latent.decode(model.state.parameters, -q.mean);
    EXPECT_TRUE(at::equal(mean, q.mean));
    EXPECT_TRUE(at::equal(copy, decoded));
  }
}

TEST(LatentModel, BoundsOfRowsAddUpToTheEvaluation) {
  Instance model("vae", {"latent=3", "encoder=[20]", "decoder=[30]", "objective.samples=4"},
                 {.training_rows = 40, .feature_shape = {36}}, at::kDouble);
  const Minibatch rows = synthetic(false, 36, 0, 40);
  const RowBounds bounds = latent_of(model).bounds(model.state.parameters, rows, Philox(5));
  const auto evaluation = model.model->evaluation(model.state.parameters, EvaluationRows::held_out, 5);
  Sums sums(evaluation->layout());
  evaluation->add(rows, sums);
  const Metrics metrics = evaluation->finish(sums);
  EXPECT_NEAR(bounds.reconstruction.mean().item<double>(), metrics.values.at("reconstruction"), 1e-10);
  EXPECT_NEAR(bounds.kl.mean().item<double>(), metrics.values.at("kl"), 1e-10);
  EXPECT_NEAR((bounds.reconstruction - bounds.kl).mean().item<double>(), metrics.values.at("elbo"), 1e-10);
}

TEST(LatentModel, PriorDrawsAreStandardNormalAndTheSameForAnyCount) {
  Instance model("vae", {"latent=3"}, {.training_rows = 1, .feature_shape = {4}}, at::kDouble);
  const Tensor z = latent_of(model).prior_draws(model.state.parameters, 20000, Philox(2));
  // 60,000 numbers: the mean's standard error is 1/√60000, the variance's √(2/60000); five of them.
  EXPECT_NEAR(z.mean().item<double>(), 0, 5 / std::sqrt(60000.0));
  EXPECT_NEAR(z.square().mean().item<double>(), 1, 5 * std::sqrt(2 / 60000.0));
  EXPECT_TRUE(
      at::equal(latent_of(model).prior_draws(model.state.parameters, 7, Philox(2)), z.slice(0, 0, 7)));
}

TEST(PosteriorDraws, HaveMeanAndDeviationAndBelongToTheirRow) {
  const Posterior q{at::tensor({1.0, -2.0, 0.5, 3.0}, at::kDouble).view({2, 2}),
                    at::tensor({0.1, 2.0, 1.0, 0.5}, at::kDouble).view({2, 2})};
  const std::vector<std::int64_t> rows{4, 9};
  constexpr std::int64_t samples = 20000;
  const Tensor z = posterior_draws(q, rows, samples, Philox(1)).view({2, samples, 2});
  const Tensor error = (z - q.mean.unsqueeze(1)) / q.deviation.unsqueeze(1);
  EXPECT_LT(error.mean(1).abs().max().item<double>(), 5 / std::sqrt(20000.0));
  EXPECT_LT((error.square().mean(1) - 1).abs().max().item<double>(), 5 * std::sqrt(2 / 20000.0));
  EXPECT_FALSE(at::allclose(error[0], error[1]));
  const Posterior second{q.mean.narrow(0, 1, 1), q.deviation.narrow(0, 1, 1)};
  EXPECT_TRUE(at::equal(posterior_draws(second, std::vector<std::int64_t>{9}, 3, Philox(1)),
                        posterior_draws(q, rows, 3, Philox(1)).narrow(0, 1, 1)));
  EXPECT_EQ(posterior_draws(q, rows, 0, Philox(1)).numel(), 0);
}

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> list(static_cast<std::size_t>(count));
  std::iota(list.begin(), list.end(), std::int64_t{0});
  return list;
}

TEST(MutualInformation, IsNothingWhereAllPosteriorsAreOne) {
  const Posterior q{at::full({300, 3}, 1.7), at::full({300, 3}, 0.2)};
  EXPECT_NEAR(mutual_information(q, numbers(300), Philox(1)), 0, 1e-10);
}

TEST(MutualInformation, IsTheLogarithmOfTheRowsWhereNoTwoMeet) {
  const Tensor place = at::arange(300, at::kDouble);
  const Posterior q{at::stack({place - 150, place.remainder(7)}, 1), at::full({300, 2}, 0.01)};
  EXPECT_NEAR(mutual_information(q, numbers(300), Philox(1)), std::log(300.0), 1e-8);
}

// Three kinds of rows: I = E[ln q(z|kind)] − E[ln q(z)], the latter by quadrature on [−8, 8].
TEST(MutualInformation, AgreesWithQuadrature) {
  const std::vector<double> means{-1, 0, 0.8};
  const std::vector<double> deviations{0.5, 1, 0.3};
  const auto density = [&](std::size_t kind, double z) {
    const double error = (z - means[kind]) / deviations[kind];
    return std::exp(-0.5 * error * error) / (deviations[kind] * std::sqrt(2 * std::numbers::pi));
  };
  double expected = 0;
  constexpr double step = 1e-3;
  for (double z = -8; z < 8; z += step) {
    const double q = (density(0, z) + density(1, z) + density(2, z)) / 3;
    for (std::size_t kind = 0; kind < 3; ++kind) {
      const double of_kind = density(kind, z);
      if (of_kind > 0) expected += step * of_kind / 3 * std::log(of_kind / q);
    }
  }
  constexpr std::int64_t rows = 3000;
  const Tensor kind = at::arange(rows).remainder(3);
  const Posterior q{at::tensor(means, at::kDouble).index({kind}).view({rows, 1}),
                    at::tensor(deviations, at::kDouble).index({kind}).view({rows, 1})};
  // ln q(z|x) − ln q(z) is at most ln 3 and seldom below −1: its deviation is below 1, over √3000.
  EXPECT_NEAR(mutual_information(q, numbers(rows), Philox(1)), expected, 5 / std::sqrt(3000.0) * 0.6);
  EXPECT_GT(expected, 0.2);
}

TEST(BitsPerDimension, CountsNatsInBitsAndGreySteps) {
  Instance bernoulli("vae", {"latent=2"}, {.training_rows = 1, .feature_shape = {28, 28}});
  EXPECT_NEAR(latent_of(bernoulli).bits_per_dimension(-784 * std::numbers::ln2), 1, 1e-12);
  Instance gaussian("vae", {"latent=2", "likelihood=gaussian"},
                    {.training_rows = 1, .feature_shape = {28, 28}});
  EXPECT_NEAR(latent_of(gaussian).bits_per_dimension(0), std::log2(255.0),
              1e-12);  // a density of 1 over grey
}

}  // namespace
}  // namespace svi::test
