#include "svi/optim/update_rule.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "svi/base/error.hpp"

namespace {

using svi::OptimizerOptions;
using svi::Tensor;
using svi::TrainingState;

OptimizerOptions options_of(const char* type, double learning_rate) {
  OptimizerOptions options;
  options.type = type;
  options.learning_rate = learning_rate;
  return options;
}

std::unique_ptr<svi::UpdateRule> robbins_monro(double delay, double forgetting_rate) {
  OptimizerOptions options;
  options.type = "robbins_monro";
  options.delay = delay;
  options.forgetting_rate = forgetting_rate;
  return svi::make_update_rule(options, {.total_steps = 100});
}

TrainingState state_with(const svi::UpdateRule& rule, std::initializer_list<double> values,
                         at::ScalarType type) {
  TrainingState state;
  state.parameters = svi::ParameterSet({{"theta", {static_cast<std::int64_t>(values.size())}}}, type);
  std::int64_t i = 0;
  for (const double value : values) state.parameters["theta"][i++] = value;
  svi::prepare_state(rule, state);
  return state;
}

double step(const svi::UpdateRule& rule, TrainingState& state, double gradient) {
  svi::Contribution direction(state.parameters.shapes(), state.parameters.flat().scalar_type(), {});
  direction.statistics.flat().zero_();
  direction.statistics.flat()[0] = gradient;
  direction.measure();
  rule.update(state, direction);
  state.step += 1;
  return state.parameters["theta"][0].item<double>();
}

// Kingma and Ba 2015, algorithm 1, written out for one number.
class AdamByHand {
 public:
  double step(double theta, double g) {
    ++t_;
    m_ = 0.9 * m_ + 0.1 * g;
    v_ = 0.999 * v_ + 0.001 * g * g;
    const double m_hat = m_ / (1 - std::pow(0.9, t_));
    const double v_hat = v_ / (1 - std::pow(0.999, t_));
    return theta + 0.01 * m_hat / (std::sqrt(v_hat) + 1e-8);
  }

 private:
  int t_ = 0;
  double m_ = 0;
  double v_ = 0;
};

void adam_follows_the_paper(at::ScalarType type, double tolerance) {
  const auto rule = svi::make_update_rule(options_of("adam", 0.01), {.total_steps = 100});
  TrainingState state = state_with(*rule, {0.5}, type);
  AdamByHand by_hand;
  double expected = 0.5;
  for (const double g : {2.0, -1.0, 0.5, 0.0, 1e-4, -30.0}) {
    expected = by_hand.step(expected, g);
    EXPECT_NEAR(step(*rule, state, g), expected, tolerance);
  }
  EXPECT_NE(expected, 0.5);
}

TEST(Adam, FollowsThePaperInDouble) { adam_follows_the_paper(at::kDouble, 1e-14); }
// Six steps, each with θ ≈ 0.5 rounded (3e-8) and a length of 0.01 right to 7e-6, because 1 − 0.999 in
// float32 is off by 1.3e-5 of itself and the step goes with its root.
TEST(Adam, FollowsThePaperInFloat) { adam_follows_the_paper(at::kFloat, 6 * (3e-8 + 0.01 * 7e-6)); }

TEST(Adam, LeavesPaddingZero) {
  const auto rule = svi::make_update_rule({}, {.total_steps = 100});
  TrainingState state = state_with(*rule, {1, 2, 3}, at::kFloat);
  step(*rule, state, 1);
  EXPECT_EQ(state.parameters.flat().slice(0, 3).abs().sum().item<double>(), 0);
}

TEST(Sgd, MomentumByHand) {
  OptimizerOptions options = options_of("sgd", 0.1);
  options.momentum = 0.5;
  const auto rule = svi::make_update_rule(options, {.total_steps = 100});
  TrainingState state = state_with(*rule, {1.0}, at::kDouble);
  EXPECT_NEAR(step(*rule, state, 2.0), 1.2, 1e-15);         // b = 2
  EXPECT_NEAR(step(*rule, state, 1.0), 1.2 + 0.2, 1e-15);   // b = 0.5·2 + 1 = 2
  EXPECT_NEAR(step(*rule, state, -1.0), 1.4 + 0.0, 1e-15);  // b = 0.5·2 − 1 = 0
}

TEST(RobbinsMonro, StepSizesAndStepByHand) {
  const auto rule = robbins_monro(4, 0.5);
  EXPECT_DOUBLE_EQ(rule->rate(0), 0.5);  // 4^−½
  EXPECT_DOUBLE_EQ(rule->rate(5), 1.0 / 3);
  TrainingState state = state_with(*rule, {3.0}, at::kDouble);
  // λ̂ = 7, so the direction is 4: λ ← (1 − ½)·3 + ½·7 = 5.
  EXPECT_NEAR(step(*rule, state, 4.0), 5.0, 1e-15);
}

TEST(RobbinsMonro, BatchVariationalBayesIsTheStepOfSizeOne) {
  const auto rule = robbins_monro(1, 0);
  EXPECT_DOUBLE_EQ(rule->rate(0), 1);
  EXPECT_DOUBLE_EQ(rule->rate(1000), 1);
}

// The rules move along factor · statistics: half of twice the gradient is the gradient.
TEST(UpdateRules, FollowTheFactorOfTheDirection) {
  for (const char* type : {"adam", "sgd", "robbins_monro"}) {
    OptimizerOptions options;
    options.type = type;
    options.momentum = 0.9;
    options.clip_norm = 2;
    const auto rule = svi::make_update_rule(options, {.total_steps = 100});
    TrainingState plain = state_with(*rule, {0.5}, at::kDouble);
    TrainingState scaled = state_with(*rule, {0.5}, at::kDouble);
    for (const double gradient : {0.25, -1.0, 16.0}) {
      svi::Contribution direction(plain.parameters.shapes(), at::kDouble, {});
      direction.statistics.flat()[0] = 2 * gradient;
      direction.factor = 0.5;
      direction.measure();
      rule->update(scaled, direction);
      scaled.step += 1;
      EXPECT_EQ(step(*rule, plain, gradient), scaled.parameters["theta"][0].item<double>()) << type;
    }
    EXPECT_NE(plain.parameters["theta"][0].item<double>(), 0.5) << type;
  }
}

// A step that was skipped shortens no first step of Adam's and holds back no average.
TEST(UpdateRules, CountUpdatesNotSkippedSteps) {
  for (const char* type : {"adam", "sgd"}) {
    OptimizerOptions options = options_of(type, 0.01);
    options.average_decay = 0.9;
    const auto rule = svi::make_update_rule(options, {.total_steps = 100});
    TrainingState state = state_with(*rule, {0.5}, at::kDouble);
    state.step = 1;
    state.skipped_steps = 1;
    EXPECT_NEAR(step(*rule, state, 1.0), 0.51, 1e-9) << type;  // of Adam's up to ε, 1e-8 of the step
    const Tensor average = evaluated_parameters(state)["theta"];
    EXPECT_NEAR(average[0].item<double>(), 0.51, 1e-9) << type;
    state.step += 1;
    state.skipped_steps += 1;
    EXPECT_NEAR(step(*rule, state, 1.0), 0.52, 1e-9) << type;
    EXPECT_NEAR(average[0].item<double>(), (0.9 * 0.51 + 0.52) / 1.9, 1e-9) << type;
  }
}

TEST(MakeUpdateRule, RefusesADecayOfMoreThanTheWeight) {
  for (const char* type : {"adam", "sgd"}) {
    OptimizerOptions options = options_of(type, 0.5);
    options.weight_decay = 2;
    EXPECT_NO_THROW(svi::make_update_rule(options, {.total_steps = 1}));
    options.weight_decay = 2.5;
    try {
      svi::make_update_rule(options, {.total_steps = 1});
      ADD_FAILURE() << type;
    } catch (const svi::Error& error) {
      EXPECT_EQ(error.code(), svi::ExitCode::bad_config);
      EXPECT_NE(std::string(error.what()).find("optimizer.weight_decay is 2.5"), std::string::npos);
    }
  }
}

TEST(MakeUpdateRule, RefusesUnknownTypes) {
  EXPECT_THROW(svi::make_update_rule(options_of("adagrad", 0.1), {.total_steps = 1}), svi::Error);
}

}  // namespace
