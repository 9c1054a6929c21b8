// The collapse monitor on totals made by hand: what it names, when, and how often.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "models/vae.hpp"
#include "models/vae_collapse.hpp"

namespace {

using svi::vae::CollapseMonitor;
using svi::vae::VaeOptions;
using Dimensions = std::vector<std::int64_t>;

constexpr double rows = 20;

// Steps of `kl` nats for each dimension, from the step after the last one; what was named, by step. Steps of
// no rows add nothing.
class Watched {
 public:
  explicit Watched(const CollapseMonitor& monitor) : monitor_(monitor) {}

  std::map<std::int64_t, Dimensions> go(std::int64_t last, const std::vector<double>& kl,
                                        double rows_of_step = rows) {
    std::map<std::int64_t, Dimensions> named;
    std::vector<double> sums = kl;
    for (double& value : sums) value *= rows_of_step;
    while (step_ < last) {
      const Dimensions now = monitor_.watch(++step_, sums, rows_of_step, memory_).dimensions;
      if (!now.empty()) named[step_] = now;
    }
    return named;
  }

 private:
  const CollapseMonitor& monitor_;
  std::int64_t step_ = 0;
  std::map<std::string, std::vector<double>> memory_;
};

using Named = std::map<std::int64_t, Dimensions>;

TEST(CollapseMonitor, NamesADimensionOnceAfterAWholeWindow) {
  const CollapseMonitor monitor(4, 150, 0);  // windows of an epoch
  Watched run(monitor);
  EXPECT_EQ(run.go(3000, {3, 0.009, 1, 0.011}), (Named{{300, {1}}}));
}

TEST(CollapseMonitor, IsSilentOnAHealthyRun) {
  const CollapseMonitor monitor(3, 150, 0);
  Watched run(monitor);
  EXPECT_EQ(run.go(150, {0, 0, 0}), Named());  // at the start every posterior is the prior
  EXPECT_EQ(run.go(5000, {0.05, 2, 3}), Named());
}

TEST(CollapseMonitor, WaitsForTheWholeWeight) {
  const CollapseMonitor monitor(2, 100, 450);
  Watched run(monitor);
  EXPECT_EQ(run.go(2000, {0.001, 2}), (Named{{600, {0}}}));  // the window that begins at 500
}

TEST(CollapseMonitor, JudgesTheMeanOfAWindow) {
  const CollapseMonitor monitor(2, 100, 0);
  Watched run(monitor);
  EXPECT_EQ(run.go(190, {0.0001, 2}), Named());
  EXPECT_EQ(run.go(200, {0.2, 2}), Named());  // (90 · 0.0001 + 10 · 0.2) / 100 = 0.02
  EXPECT_EQ(run.go(290, {0.0001, 2}), Named());
  EXPECT_EQ(run.go(300, {0.05, 2}), (Named{{300, {0}}}));  // 0.005
}

// What was skipped counts neither for nor against a dimension, and its window ends on time.
TEST(CollapseMonitor, ClosesAWindowWithAStepThatAddsNothing) {
  const CollapseMonitor monitor(2, 100, 0);
  Watched run(monitor);
  EXPECT_EQ(run.go(199, {0.005, 2}), Named());
  EXPECT_EQ(run.go(200, {0, 0}, 0), (Named{{200, {0}}}));
  EXPECT_EQ(run.go(300, {0, 0}, 0), Named());  // nothing at all
  EXPECT_EQ(run.go(400, {2, 0.005}), (Named{{400, {1}}}));
}

TEST(CollapseMonitor, NamesAllWhenTheKlIsCloseToZero) {
  const CollapseMonitor monitor(3, 100, 0);
  Watched run(monitor);
  EXPECT_EQ(run.go(1000, {0.03, 0.03, 0.03}), (Named{{200, {0, 1, 2}}}));
  Watched above(monitor);
  EXPECT_EQ(above.go(1000, {0.04, 0.04, 0.04}), Named());
}

// One more dimension dies in every window: 16 of them, and no more than log₂ 16 + 1 notices, which name each
// once.
TEST(CollapseMonitor, IsNeverAFlood) {
  const CollapseMonitor monitor(16, 100, 0);
  Watched run(monitor);
  std::vector<double> kl(16, 1.0);
  std::size_t notices = 0;
  Dimensions named;
  for (std::size_t dead = 0; dead < 16; ++dead) {
    kl[dead] = 0;
    for (const auto& [step, dimensions] : run.go(200 + 100 * static_cast<std::int64_t>(dead), kl)) {
      ++notices;
      named.insert(named.end(), dimensions.begin(), dimensions.end());
    }
  }
  EXPECT_EQ(notices, 5U);
  Dimensions all(16);
  for (std::int64_t j = 0; j < 16; ++j) all[static_cast<std::size_t>(j)] = j;
  EXPECT_EQ(named, all);
  for (int turn = 0; turn < 20; ++turn) {  // and again, to and fro
    kl.assign(16, turn % 2 == 0 ? 1.0 : 0.0);
    EXPECT_EQ(run.go(1800 + 100 * turn, kl), Named());
  }
}

TEST(CollapseMonitor, WindowsAreNeitherTooShortNorTooLong) {
  EXPECT_EQ(CollapseMonitor(1, 3, 0).window(), 100);
  EXPECT_EQ(CollapseMonitor(1, 469, 0).window(), 469);
  EXPECT_EQ(CollapseMonitor(1, 1'000'000, 0).window(), 1000);
}

std::string text_for(const VaeOptions& options, const Dimensions& dimensions, std::int64_t named_before = 0) {
  return svi::vae::collapse_notice(options, {dimensions, named_before}, 800, 400).text;
}

void expect_says(const std::string& text, const std::vector<std::string>& parts, const std::string& never) {
  for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_EQ(text.find(never), std::string::npos) << never << "\n" << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
}

TEST(CollapseNotice, NamesDimensionsStepsAndKeys) {
  VaeOptions options;
  expect_says(text_for(options, {0, 3, 4, 5, 19}),
              {"5 of 20 latent dimensions (0, 3-5, 19", "steps 401 to 800", "objective.kl.schedule: linear",
               "objective.kl.warmup_epochs", "objective.kl.free_bits", "objective.bound: iwae",
               "model.latent: 15", "docs/posterior-collapse.md"},
              "objective.kl.weight");
  expect_says(text_for(options, {7, 8}, 2),
              {"2 more of 20 latent dimensions (7-8", "4 in all", "model.latent: 16"}, "2 of 20");
  options.latent = 2;
  expect_says(text_for(options, {0, 1}), {"2 of 2", "ignores z"}, "model.latent");
}

TEST(CollapseNotice, GivesNoAdviceThatIsFollowedAlready) {
  VaeOptions options;
  options.kl.weight = 20;
  options.kl.schedule = "cosine";
  expect_says(text_for(options, {1}), {"lower objective.kl.weight, which is 20", "more slowly"}, "linear");
  options.kl = {.free_bits = 0.001};
  expect_says(text_for(options, {1}), {"raise objective.kl.free_bits, which is 0.001"}, "iwae");
  options.kl = {.capacity = 0.5};
  expect_says(text_for(options, {1}), {"raise objective.kl.capacity"}, "schedule");
  options.kl = {};
  options.bound.bound = "iwae";
  expect_says(text_for(options, {1}), {"objective.kl.schedule"},
              "objective.bound");  // nor free bits, see Bound
  EXPECT_EQ(text_for(options, {1}).find("free_bits"), std::string::npos);
  for (const char* gradient : {"stl", "dreg"}) {
    options.bound = {.gradient = gradient};
    options.elbo = "sampled";
    expect_says(text_for(options, {1}), {"objective.kl.schedule", "objective.bound: iwae"}, "free_bits");
  }
}

}  // namespace
