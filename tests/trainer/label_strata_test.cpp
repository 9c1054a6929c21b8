// The labelled and the other rows of a step: the same on any number of ranks, with what each row counts.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "io/folder.hpp"
#include "support/mpi_test.hpp"
#include "svi/data/label_split.hpp"
#include "svi/trainer/training_data.hpp"
#include "trainer/generated_data.hpp"

namespace svi::test {
namespace {

using trainer::Settings;
using trainer::TrainingData;

constexpr std::int64_t all = 230;
constexpr std::int64_t labels = 23;
constexpr std::int64_t steps = 40;  // three epochs of the others, eight of the labelled

constexpr const char* config = R"(
run: {{seed: 5}}
data: {{train: {0}, validation: {{fraction: 0.1}}, shards: 16, labels: {1}}}
model: {{type: m2, classes: 5, latent: 2}}
optimizer: {{type: adam}}
train: {{batch: 16, labelled_batch: 5}}
)";

Settings settings_of(const std::string& path, std::int64_t keep) {
  return Settings::read(config::Document::parse(fmt::format(config, path, keep), "a test"));
}

class LabelStrata : public ::testing::Test {
 protected:
  LabelStrata() : path_(std::filesystem::temp_directory_path() / fmt::format("svi-labels-{}.h5", getppid())) {
    comm::together(world(), "writing pictures", [&] {
      if (world().rank() == 0) write_images(path_, all, 6, 1);
    });
    file_labels_ = data::DataFile(path_).read_labels();
  }
  ~LabelStrata() override {
    world().barrier("end of a test")->wait();
    if (world().rank() == 0) std::filesystem::remove(path_);
  }

  std::string path_;
  std::vector<std::int64_t> file_labels_;
};

// Of each row of the file: how often it comes, its weight, its label plus one, over all ranks.
struct Step {
  std::vector<double> times = std::vector<double>(all);
  std::vector<double> weight = std::vector<double>(all);
  std::vector<double> label = std::vector<double>(all);
};

Step global_step(TrainingData& data, std::int64_t number) {
  const Minibatch minibatch = data.minibatch(number);
  EXPECT_EQ(std::ssize(minibatch.weights), minibatch.size());
  Step step;
  for (std::size_t i = 0; i < minibatch.ids.size(); ++i) {
    const auto row = static_cast<std::size_t>(minibatch.ids[i]);
    step.times[row] += 1;
    step.weight[row] += minibatch.weights[i];
    step.label[row] +=
        1 + std::get<DenseRows>(minibatch.rows).labels[static_cast<std::int64_t>(i)].item<double>();
  }
  for (auto* sums : {&step.times, &step.weight, &step.label})
    comm::all_reduce_sum(world(), *sums, "a step of the test");
  return step;
}

// By the definition: two strata, each with a partition and a sampler of its own, on one rank.
TEST_F(LabelStrata, EveryNumberOfRanksTakesTheSameRowsWithTheirWeights) {
  const Settings settings = settings_of(path_, labels);
  TrainingData data(settings, false, world());
  const auto training = data::split_rows(all, 0.1, 1).training;
  const auto split = data::split_by_label(training, file_labels_, labels, 5);
  const data::Partition of_labelled(split.labelled, 16, 1, nullptr);
  const data::Partition of_others(split.unlabelled, 16, 1, nullptr);
  data::Sampler labelled(of_labelled, 5, 5, nullptr, 1);
  data::Sampler others(of_others, 16, 5);
  EXPECT_EQ(data.rows(), std::ssize(training));
  EXPECT_EQ(data.shape().labelled_rows, labels);
  EXPECT_EQ(data.shape().labelled_classes, 5);
  EXPECT_EQ(data.steps_per_epoch(), others.steps_per_epoch());
  EXPECT_EQ(data.batch(settings.train), 16 + 5);
  EXPECT_EQ(data.local_batch(settings.train, 1), 21);
  EXPECT_EQ(data.local_batch(settings.train, 4), 6);
  for (std::int64_t t = 0; t < steps; ++t) {
    const Step step = global_step(data, t);
    Step expected;
    const auto add = [&](data::Sampler& sampler, std::int64_t rows, bool is_labelled) {
      const auto chosen = sampler.rows(t, 0, 16);
      for (const std::int64_t id : chosen) {
        const auto row = static_cast<std::size_t>(id);
        expected.times[row] += 1;
        expected.weight[row] = static_cast<double>(rows) / static_cast<double>(chosen.size());
        expected.label[row] = is_labelled ? 1 + static_cast<double>(file_labels_[row]) : 0;
      }
    };
    add(others, of_others.rows(), false);
    add(labelled, labels, true);
    ASSERT_EQ(step.times, expected.times) << t;
    ASSERT_EQ(step.weight, expected.weight) << t;
    ASSERT_EQ(step.label, expected.label) << t;
    const double total = std::accumulate(step.weight.begin(), step.weight.end(), 0.0);
    EXPECT_NEAR(total, static_cast<double>(training.size()), 1e-9);  // Σ N_h/S_h = N
  }
}

TEST_F(LabelStrata, AnEpochHasEveryOtherRowOnceWhileTheLabelledComeAgainAndAgain) {
  const Settings settings = settings_of(path_, labels);
  TrainingData data(settings, false, world());
  const auto training = data::split_rows(all, 0.1, 1).training;
  const auto split = data::split_by_label(training, file_labels_, labels, 5);
  std::vector<double> times(all);
  for (std::int64_t t = 0; t < 5 * data.steps_per_epoch(); ++t) {
    const Step step = global_step(data, t);
    for (std::size_t row = 0; row < times.size(); ++row) times[row] += step.times[row];
  }
  for (const std::int64_t row : split.unlabelled) EXPECT_EQ(times[static_cast<std::size_t>(row)], 5) << row;
  const auto [least, most] = std::ranges::minmax(
      split.labelled, {}, [&](std::int64_t row) { return times[static_cast<std::size_t>(row)]; });
  EXPECT_GT(times[static_cast<std::size_t>(least)], 5);
  EXPECT_LE(times[static_cast<std::size_t>(most)] - times[static_cast<std::size_t>(least)], 1);
  // An epoch of the 23 labelled is five steps, of which step t takes those from place ⌊23t/5⌋ on.
  const std::int64_t run = 5 * data.steps_per_epoch();
  const std::int64_t of_labelled = run / 5 * labels + run % 5 * labels / 5;
  EXPECT_EQ(std::accumulate(times.begin(), times.end(), 0.0),
            static_cast<double>(5 * std::ssize(split.unlabelled) + of_labelled));
}

// With all labels there is one stratum, the weights of which are all one, whatever labelled_batch says.
TEST_F(LabelStrata, AllLabelsAreOneStratum) {
  const Settings settings = settings_of(path_, 0);
  TrainingData data(settings, false, world());
  const Minibatch minibatch = data.minibatch(0);
  EXPECT_TRUE(minibatch.weights.empty());
  EXPECT_EQ(data.shape().labelled_rows, data.rows());
  const Tensor& seen = std::get<DenseRows>(minibatch.rows).labels;
  for (std::size_t i = 0; i < minibatch.ids.size(); ++i) {
    EXPECT_EQ(seen[static_cast<std::int64_t>(i)].item<std::int64_t>(),
              file_labels_[static_cast<std::size_t>(minibatch.ids[i])]);
  }
}

}  // namespace
}  // namespace svi::test
