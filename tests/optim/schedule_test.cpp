#include "svi/optim/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "svi/base/error.hpp"

namespace {

using svi::Schedule;
using svi::ScheduleOptions;

TEST(Schedule, ConstantIsOne) {
  const Schedule schedule({}, {.total_steps = 10});
  EXPECT_EQ(schedule.factor(0), 1);
  EXPECT_EQ(schedule.factor(9), 1);
}

TEST(Schedule, WarmUpIsLinearAndNeverZero) {
  const Schedule schedule({.warmup_steps = 4}, {.total_steps = 10});
  EXPECT_DOUBLE_EQ(schedule.factor(0), 0.25);
  EXPECT_DOUBLE_EQ(schedule.factor(3), 1);
  EXPECT_DOUBLE_EQ(schedule.factor(4), 1);
}

TEST(Schedule, CosineReachesItsCorners) {
  const Schedule schedule({.schedule = "cosine", .warmup_steps = 2, .final_factor = 0.1},
                          {.total_steps = 13});
  EXPECT_DOUBLE_EQ(schedule.factor(2), 1);
  EXPECT_NEAR(schedule.factor(7), 0.55, 1e-12);  // half way
  EXPECT_NEAR(schedule.factor(12), 0.1, 1e-12);  // the last step
  EXPECT_NEAR(schedule.factor(50), 0.1, 1e-12);  // and beyond
  EXPECT_TRUE(schedule.depends_on_total_steps());
}

TEST(Schedule, ExponentialDecaysByItsFactor) {
  const Schedule schedule({.schedule = "exponential", .decay_factor = 0.5, .decay_steps = 10},
                          {.total_steps = 100});
  EXPECT_DOUBLE_EQ(schedule.factor(0), 1);
  EXPECT_DOUBLE_EQ(schedule.factor(20), 0.25);
  EXPECT_FALSE(schedule.depends_on_total_steps());
}

// Burda, Grosse and Salakhutdinov 2016: 10^(−i/7)·1e-3 for 3^i passes, i = 0 … 7.
TEST(Schedule, PiecewiseIsBurdas) {
  ScheduleOptions options{.schedule = "piecewise"};
  std::int64_t passes = 1;
  for (int i = 0; i < 8; ++i, passes *= 3) {
    options.piece_factors.push_back(std::pow(10, -i / 7.0));
    options.piece_epochs.push_back(passes);
  }
  const Schedule schedule(options, {.total_steps = 3280 * 5, .steps_per_epoch = 5});
  std::int64_t first = 0;  // the epoch each piece begins with
  passes = 1;
  for (int i = 0; i < 8; ++i, passes *= 3) {
    EXPECT_DOUBLE_EQ(schedule.factor(5 * first), std::pow(10, -i / 7.0)) << i;
    first += passes;
    EXPECT_DOUBLE_EQ(schedule.factor(5 * first - 1), std::pow(10, -i / 7.0)) << i;
  }
  EXPECT_EQ(first, 3280);
  EXPECT_DOUBLE_EQ(schedule.factor(5 * first), 0.1);  // the last one stays
  EXPECT_FALSE(schedule.depends_on_total_steps());
  EXPECT_EQ(schedule.warning(), "");
}

TEST(Schedule, PiecesFollowTheWarmUp) {
  const Schedule schedule(
      {.schedule = "piecewise", .warmup_steps = 2, .piece_factors = {1, 0.5, 0.25}, .piece_steps = {3, 1, 7}},
      {.total_steps = 9});
  const std::vector<double> expected{0.5, 1, 1, 1, 1, 0.5, 0.25, 0.25, 0.25};
  for (std::size_t t = 0; t < expected.size(); ++t)
    EXPECT_DOUBLE_EQ(schedule.factor(static_cast<std::int64_t>(t)), expected[t]) << t;
}

void expect_refused(const ScheduleOptions& options, const std::vector<std::string>& parts) {
  try {
    const Schedule schedule(options, {.total_steps = 10, .steps_per_epoch = 2});
    FAIL() << "accepted";
  } catch (const svi::Error& error) {
    EXPECT_EQ(error.code(), svi::ExitCode::bad_config);
    for (const std::string& part : parts)
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Schedule, RefusesPiecesThatContradictEachOther) {
  expect_refused({.schedule = "piecewise", .piece_factors = {1}},
                 {"optimizer.piece_epochs", "there are none"});
  expect_refused({.schedule = "piecewise", .piece_factors = {1}, .piece_epochs = {1}, .piece_steps = {1}},
                 {"optimizer.piece_steps", "both are given"});
  expect_refused({.schedule = "piecewise", .piece_factors = {1}, .piece_epochs = {1, 2}},
                 {"optimizer.piece_epochs has 2", "optimizer.piece_factors 1"});
  expect_refused({.piece_factors = {1}}, {"optimizer.piece_factors", "optimizer.schedule: constant"});
  expect_refused({.schedule = "cosine", .piece_steps = {1}}, {"optimizer.piece_steps", "cosine"});
}

TEST(Schedule, WarnsOfWhatComesAfterTheEnd) {
  const auto warning = [](const ScheduleOptions& options, std::int64_t steps) {
    return Schedule(options, {.total_steps = steps, .steps_per_epoch = 2}).warning();
  };
  EXPECT_EQ(warning({.warmup_steps = 10}, 10), "");
  EXPECT_NE(warning({.warmup_steps = 11}, 10).find("optimizer.warmup_steps"), std::string::npos);
  const ScheduleOptions pieces{
      .schedule = "piecewise", .piece_factors = {1, 0.5, 0.1}, .piece_epochs = {1, 2, 9}};
  EXPECT_EQ(warning(pieces, 7), "");
  const std::string text = warning(pieces, 6);
  for (const char* part : {"piece 3 of 3", "after step 6", "ends at step 6"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

}  // namespace
