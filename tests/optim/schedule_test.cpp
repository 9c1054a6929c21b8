#include "svi/optim/schedule.hpp"

#include <gtest/gtest.h>

namespace {

using svi::Schedule;
using svi::ScheduleOptions;

TEST(Schedule, ConstantIsOne) {
  const Schedule schedule({}, 10);
  EXPECT_EQ(schedule.factor(0), 1);
  EXPECT_EQ(schedule.factor(9), 1);
}

TEST(Schedule, WarmUpIsLinearAndNeverZero) {
  const Schedule schedule({.warmup_steps = 4}, 10);
  EXPECT_DOUBLE_EQ(schedule.factor(0), 0.25);
  EXPECT_DOUBLE_EQ(schedule.factor(3), 1);
  EXPECT_DOUBLE_EQ(schedule.factor(4), 1);
}

TEST(Schedule, CosineReachesItsCorners) {
  const Schedule schedule({.schedule = "cosine", .warmup_steps = 2, .final_factor = 0.1}, 13);
  EXPECT_DOUBLE_EQ(schedule.factor(2), 1);
  EXPECT_NEAR(schedule.factor(7), 0.55, 1e-12);  // half way
  EXPECT_NEAR(schedule.factor(12), 0.1, 1e-12);  // the last step
  EXPECT_NEAR(schedule.factor(50), 0.1, 1e-12);  // and beyond
  EXPECT_TRUE(schedule.depends_on_total_steps());
}

TEST(Schedule, ExponentialDecaysByItsFactor) {
  const Schedule schedule({.schedule = "exponential", .decay_factor = 0.5, .decay_steps = 10}, 100);
  EXPECT_DOUBLE_EQ(schedule.factor(0), 1);
  EXPECT_DOUBLE_EQ(schedule.factor(20), 0.25);
  EXPECT_FALSE(schedule.depends_on_total_steps());
}

}  // namespace
