// Tests that fail on purpose, for launch_test.cpp to see what support/mpi_main.cpp makes of them.
#include <gtest/gtest.h>

#include <stdexcept>

#include "support/mpi_test.hpp"

using svi::test::world;

TEST(Probe, Passes) { svi::comm::maximum(world(), 1, "all here"); }

TEST(Probe, FailsOnTheLastRank) { EXPECT_NE(world().rank(), world().size() - 1) << "seen on the last rank"; }

TEST(Probe, ThrowsWhileTheOthersWait) {
  if (world().rank() == world().size() - 1) throw std::runtime_error("thrown on the last rank");
  world().barrier("never complete")->wait();
}
