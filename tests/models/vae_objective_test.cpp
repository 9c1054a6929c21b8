// What the KL counts in training: schedules, free bits, balancing and the capacity.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "models/differences.hpp"
#include "models/vae_objective.hpp"

namespace {

using svi::Contribution;
using svi::Minibatch;
using svi::Tensor;
using svi::test::expect_vae_refused;
using svi::test::Instance;
using svi::test::synthetic;
using svi::vae::KlObjective;
using svi::vae::KlOptions;
using svi::vae::KlSchedule;
using svi::vae::KlTerm;
using Vector = std::vector<double>;

constexpr std::int64_t width = 6;
const svi::DataShape training{
    .training_rows = 24, .feature_shape = {width}, .steps_per_epoch = 30, .total_steps = 1000};

double factor(const std::string& schedule, std::int64_t step, std::int64_t warmup = 80) {
  return KlSchedule({.schedule = schedule}, warmup).factor(step);
}

TEST(KlSchedule, RisesFromZeroToOne) {
  for (const char* schedule : {"linear", "cosine", "sigmoid"}) {
    EXPECT_EQ(factor(schedule, 0), 0) << schedule;
    EXPECT_NEAR(factor(schedule, 40), 0.5, 1e-15) << schedule;
    EXPECT_EQ(factor(schedule, 80), 1) << schedule;
    EXPECT_EQ(factor(schedule, std::int64_t{1} << 40), 1) << schedule;
    for (std::int64_t step = 0; step < 80; ++step)
      EXPECT_LT(factor(schedule, step), factor(schedule, step + 1)) << schedule << ' ' << step;
  }
  EXPECT_EQ(factor("constant", 0), 1);
  EXPECT_EQ(factor("linear", 0, 1), 0);
  EXPECT_EQ(factor("linear", 1, 1), 1);
}

TEST(KlSchedule, HasItsNamesForm) {
  EXPECT_EQ(factor("linear", 20), 0.25);
  EXPECT_NEAR(factor("cosine", 20), 0.5 * (1 - std::sqrt(0.5)), 1e-15);
  const auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_NEAR(factor("sigmoid", 60), logistic(3), 0.0025);  // moved by σ(−6) = 0.0025
}

TEST(KlSchedule, Cycles) {
  const auto at = [](std::int64_t step) {
    return factor("cyclical", step);
  };  // four of 20 steps, half rising
  for (const std::int64_t begin : {0, 20, 40, 60}) {
    EXPECT_EQ(at(begin), 0);
    EXPECT_EQ(at(begin + 5), 0.5);
    EXPECT_EQ(at(begin + 10), 1);
    EXPECT_EQ(at(begin + 19), 1);
  }
  EXPECT_EQ(at(80), 1);
  EXPECT_EQ(KlSchedule({.schedule = "cyclical", .cycles = 1, .ramp_fraction = 1}, 80).factor(79), 79.0 / 80);
}

TEST(KlSchedule, TakesEpochs) {
  const KlObjective kl({.weight = 4, .schedule = "linear", .warmup_epochs = 2}, 2, training);
  EXPECT_EQ(kl.at(0, {}).weight, 0);
  EXPECT_EQ(kl.at(15, {}).weight, 1);
  EXPECT_EQ(kl.at(59, {}).weight, 4 * 59.0 / 60);
  EXPECT_EQ(kl.at(60, {}).weight, 4);
  const KlObjective brief({.schedule = "linear", .warmup_epochs = 0.01}, 2, training);  // 0.3 of a step
  EXPECT_EQ(brief.at(0, {}).weight, 0);
  EXPECT_EQ(brief.at(1, {}).weight, 1);
}

TEST(KlObjective, FreeBitsByDimension) {
  const KlObjective kl({.weight = 2, .free_bits = 0.5}, 3, training);
  const std::vector<double> previous{0.4, 0.5, std::nextafter(0.5, 1.0)};
  const KlTerm term = kl.at(7, previous);
  EXPECT_EQ(term.weights, (std::vector<double>{0, 0, 2}));
  EXPECT_EQ(term.constant, 2);  // two floors of 0.5, twice
  // Where the means are the minibatch's own it is β·Σ max(λ, KL_j).
  const std::vector<double> sums{4.0, 5.0, 7.0};  // of ten rows
  EXPECT_DOUBLE_EQ(term.subtracted(sums, 10), 2 * (5.0 + 5.0 + 7.0));
  EXPECT_EQ(kl.at(0, {}).weights, (std::vector<double>{0, 0, 0}));
}

TEST(KlObjective, FreeBitsByGroup) {
  const KlObjective kl({.free_bits = 1, .free_bits_per = "group", .groups = 2}, 5, training);
  const std::vector<double> previous{0.6, 0.5, 0.3, 0.3, 0.3};  // groups of two and of three
  const KlTerm term = kl.at(0, previous);
  EXPECT_EQ(term.weights, (std::vector<double>{1, 1, 0, 0, 0}));
  EXPECT_EQ(term.constant, 1);
}

TEST(KlObjective, BalancesGroupsWhileTheWeightRises) {
  const KlObjective kl({.schedule = "linear", .warmup_steps = 10, .groups = 2, .balancing = true}, 3,
                       training);
  const std::vector<double> previous{0.99, 2.5, 1.49};  // groups: one dimension; two
  const KlTerm term = kl.at(5, previous);
  // (0.99 + 0.01)/1 and (3.99 + 0.01)/2: shares 1 and 2 of mean 1.5
  EXPECT_NEAR(term.weights[0], 0.5 / 1.5, 1e-15);
  EXPECT_NEAR(term.weights[1], 0.5 * 2 / 1.5, 1e-15);
  EXPECT_EQ(term.weights[2], term.weights[1]);
  EXPECT_TRUE(kl.at(10, previous).is_uniform());
  EXPECT_EQ(kl.at(10, previous).weight, 1);
}

// A mean KL by samples may be below zero; a weight that is would ask for a larger KL.
TEST(KlObjective, BalancesGroupsWhoseSampledKlIsNegative) {
  const KlObjective kl({.schedule = "linear", .warmup_steps = 10, .groups = 2, .balancing = true}, 3,
                       training);
  const std::vector<double> previous{-0.3, 0.7, 0.28};  // groups: one dimension; two
  const KlTerm term = kl.at(5, previous);
  // (0 + 0.01)/1 and (0.98 + 0.01)/2: shares 0.01 and 0.495 of mean 0.2525
  EXPECT_NEAR(term.weights[0], 0.5 * 0.01 / 0.2525, 1e-15);
  EXPECT_NEAR(term.weights[1], 0.5 * 0.495 / 0.2525, 1e-15);
  EXPECT_EQ(term.weights[2], term.weights[1]);
  for (const std::vector<double>& means : {Vector{-0.02, -0.5, 0.1}, Vector{-1, -1, -1}}) {
    const KlTerm balanced = kl.at(5, means);
    for (const double weight : balanced.weights) EXPECT_GE(weight, 0);
    EXPECT_NEAR(balanced.weights[0] + balanced.weights[1], 2 * 0.5, 1e-14);  // mean β over groups
  }
}

TEST(KlObjective, DrawsTheKlToItsCapacity) {
  const KlObjective kl({.capacity = 8, .capacity_steps = 4, .capacity_weight = 10}, 2, training);
  const std::vector<double> previous{1.0, 2.0};
  EXPECT_EQ(kl.at(1, previous).weights, (std::vector<double>{10, 10}));    // C = 2 is below 3
  EXPECT_EQ(kl.at(2, previous).weights, (std::vector<double>{-10, -10}));  // C = 4
  EXPECT_EQ(kl.at(100, previous).constant, 80);
  // γ·|KL − C|: ten rows of KL 3 at C = 8.
  const std::vector<double> sums{10.0, 20.0};
  EXPECT_EQ(kl.at(100, previous).subtracted(sums, 10), 10 * 10 * 5);
  EXPECT_EQ(kl.at(1, previous).subtracted(sums, 10), 10 * 10 * 1);
  EXPECT_EQ(KlObjective({.capacity = 3}, 2, training).at(0, previous).weight, 0);
}

// Options of the KL under which the objective is not the ELBO, with both forms.
std::vector<std::vector<std::string>> objectives() {
  std::vector<std::vector<std::string>> all;
  for (const char* form : {"analytic", "sampled"}) {
    for (const std::vector<std::string>& options : std::vector<std::vector<std::string>>{
             {"kl.weight=0.3"},
             {"kl.schedule=cosine", "kl.warmup_steps=9"},
             {"kl.free_bits=0.5", "kl.weight=1.5"},
             {"kl.free_bits=1", "kl.free_bits_per=group", "kl.groups=2"},
             {"kl.balancing=true", "kl.groups=3", "kl.schedule=linear", "kl.warmup_steps=9"},
             {"kl.capacity=5", "kl.capacity_weight=3"}}) {
      all.push_back({"latent=3", "encoder=[5]", "decoder=[4]", "activation=tanh", "objective.samples=2",
                     std::string("objective.elbo=") + form});
      for (const std::string& option : options) all.back().push_back("objective." + option);
    }
  }
  return all;
}

Instance instance_of(const std::vector<std::string>& settings) {
  Instance model("vae", settings, training, at::kDouble);
  model.state.previous_means["kl"] = {0.2, 0.9, 1.7};
  return model;
}

TEST(VaeObjective, GradientIsTheObjectives) {
  for (const auto& settings : objectives()) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(settings, " ")));
    Instance model = instance_of(settings);
    expect_gradient_of(model, "objective", synthetic(false, width, 0, 8, 4));
  }
}

TEST(VaeObjective, RanksAddUp) {
  for (const auto& settings : objectives()) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(settings, " ")));
    Instance model = instance_of(settings);
    svi::test::expect_ranks_add_up(model, width);
  }
}

TEST(VaeObjective, TheElboStaysTheBound) {
  const Minibatch rows = synthetic(false, width, 0, 8, 4);
  for (const auto& settings : objectives()) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(settings, " ")));
    Instance plain = instance_of({settings.begin(), settings.begin() + 6});
    Instance model = instance_of(settings);
    EXPECT_EQ(model.elbo(rows), plain.elbo(rows));
    EXPECT_NE(model.figure("objective", rows), plain.elbo(rows));
    EXPECT_THROW(plain.figure("objective", rows), std::out_of_range);
  }
}

TEST(VaeObjective, TellsTheScheduledWeight) {
  Instance model = instance_of(
      {"latent=3", "objective.kl.schedule=linear", "objective.kl.warmup_steps=16", "objective.kl.weight=2"});
  for (const std::int64_t step : {0, 4, 16, 17}) {
    const Minibatch rows = synthetic(false, width, 0, 8, step);
    const double weight = 2 * std::min(1.0, static_cast<double>(step) / 16);
    EXPECT_DOUBLE_EQ(model.figure("kl_weight", rows), weight);
    EXPECT_NEAR(model.figure("objective", rows),
                model.figure("reconstruction", rows) - weight * model.figure("kl", rows), 1e-12);
  }
}

// With a decoder that does not look at z only the KL moves the encoder.
TEST(VaeObjective, GradientUnderTheFloorIsExactlyZero) {
  for (const char* form : {"analytic", "sampled"}) {
    Instance model = instance_of({"latent=3", "encoder=[]", "decoder=[]", "objective.kl.free_bits=1",
                                  std::string("objective.elbo=") + form});
    model.state.parameters["decoder.0/weight"].zero_();
    const Contribution total = model.accumulate(synthetic(false, width, 0, 8));
    const Tensor weight = total.statistics["encoder.0/weight"];  // rows: μ of three dimensions, then ln σ²
    const Tensor bias = total.statistics["encoder.0/bias"];
    for (const std::int64_t row : {0, 1, 3, 4}) {
      EXPECT_EQ(weight[row].abs().max().item<double>(), 0) << form << ' ' << row;
      EXPECT_EQ(bias[row].item<double>(), 0) << form << ' ' << row;
    }
    for (const std::int64_t row : {2, 5}) {
      EXPECT_GT(weight[row].abs().min().item<double>(), 0) << form << ' ' << row;
      EXPECT_NE(bias[row].item<double>(), 0) << form << ' ' << row;
    }
  }
}

TEST(VaeObjective, EvaluationsTellTheObjectiveAtItsFinalWeight) {
  Instance model = instance_of(
      {"latent=3", "objective.kl.schedule=linear", "objective.kl.warmup_steps=16", "objective.kl.weight=2"});
  const auto evaluation = model.model->evaluation(model.state.parameters, svi::EvaluationRows::held_out, 1);
  svi::Sums sums(evaluation->layout());
  evaluation->add(synthetic(false, width, 0, 8), sums);
  const svi::Metrics metrics = evaluation->finish(sums);
  EXPECT_NEAR(metrics.values.at("objective"),
              metrics.values.at("reconstruction") - 2 * metrics.values.at("kl"), 1e-12);
  EXPECT_NEAR(metrics.values.at("elbo"), metrics.values.at("reconstruction") - metrics.values.at("kl"),
              1e-12);
}

TEST(VaeObjective, RefusesWhatHasNoSense) {
  const std::string kl = "objective.kl.";
  expect_vae_refused({kl + "schedule=linear"}, {"schedule is linear", "warmup_steps", "warmup_epochs"});
  expect_vae_refused({kl + "warmup_steps=5"}, {"warmup_steps has no effect", "constant"});
  expect_vae_refused({kl + "warmup_epochs=1"}, {"warmup_epochs has no effect"});
  expect_vae_refused({kl + "schedule=linear", kl + "warmup_steps=5", kl + "warmup_epochs=1"},
                     {"warmup_steps is 5", "warmup_epochs 1", "one of them"});
  expect_vae_refused({kl + "schedule=cyclical", kl + "warmup_steps=3"}, {"cycles is 4", "3 steps"});
  expect_vae_refused({kl + "groups=3"}, {"groups is 3", "model.latent", "2 dimensions"});
  expect_vae_refused({kl + "groups=2"},
                     {"groups is 2", "nothing goes by groups", "free_bits_per", "balancing"});
  expect_vae_refused({kl + "groups=2", kl + "free_bits=1"}, {"groups is 2", "nothing goes by groups"});
  expect_vae_refused({kl + "free_bits_per=group"}, {"free_bits_per", "free_bits is 0"});
  expect_vae_refused({kl + "balancing=true"}, {"balancing", "groups"});
  expect_vae_refused({kl + "balancing=true", kl + "groups=2"}, {"balancing", "schedule is constant"});
  expect_vae_refused({kl + "capacity_steps=5"}, {"capacity_steps is 5", "objective.kl.capacity is 0"});
  for (const char* other : {"weight=2", "free_bits=1", "schedule=linear"}) {
    const std::string name = std::string(other).substr(0, std::string(other).find('='));
    std::vector<std::string> settings{kl + "capacity=5", kl + other};
    if (name == "schedule") settings.push_back(kl + "warmup_steps=5");
    expect_vae_refused(settings, {kl + "capacity", kl + name});
  }
}

// The run of expect_vae_refused has 50 steps, five epochs.
TEST(VaeObjective, RefusesSchedulesBeyondTheRunsEnd) {
  const std::string kl = "objective.kl.";
  expect_vae_refused({kl + "schedule=linear", kl + "warmup_steps=51"},
                     {"warmup_steps", "step 51", "step 50", "train.epochs"});
  expect_vae_refused({kl + "schedule=linear", kl + "warmup_epochs=5.1"},
                     {"warmup_epochs", "step 51", "step 50"});
  expect_vae_refused({kl + "capacity=5", kl + "capacity_steps=51"}, {"capacity_steps is 51", "step 50"});
  const svi::DataShape run{
      .training_rows = 100, .feature_shape = {6}, .steps_per_epoch = 10, .total_steps = 50};
  EXPECT_NO_THROW(svi::test::make_model(
      "vae", {"latent=2", "objective.kl.schedule=linear", "objective.kl.warmup_epochs=5"}, run));
  // Of a trained model the run's length is not known, nor needed.
  EXPECT_NO_THROW(svi::test::make_model(
      "vae", {"latent=2", "objective.kl.schedule=linear", "objective.kl.warmup_steps=51"},
      {.training_rows = 100, .feature_shape = {6}}));
}

}  // namespace
