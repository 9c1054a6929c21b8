// Objectives that depend on the step and on the means of the step before, through whole runs.
#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "svi/data/data_file.hpp"
#include "svi/data/local_rows.hpp"
#include "svi/data/partition.hpp"
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

using checkpoint::parameters_hash;

class ObjectiveRuns : public RunFolder {
 protected:
  // Eight steps of a VAE with these options, so many in each start of the program.
  checkpoint::Checkpoint run(const std::string& name, const std::string& options, int at_once = 8,
                             int ranks = 0) {
    const std::string arguments =
        vae() + " --set device.precision=float64 --set run.name=" + name + ' ' + options;
    for (int steps = at_once; steps <= 8; steps += at_once) {
      const Outcome outcome = train(ranks, arguments + " --set train.steps=" + std::to_string(steps));
      EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
      EXPECT_EQ(outcome.says("resumed at step"), steps != at_once) << outcome.all();
    }
    return checkpoint(8, name);
  }
};

constexpr const char* free_bits = "--set objective.kl.free_bits=0.02";

TEST_F(ObjectiveRuns, ResumeWithFreeBitsIsExact) {
  const checkpoint::Checkpoint whole = run("whole", free_bits);
  const checkpoint::Checkpoint parts = run("parts", free_bits, 4);
  EXPECT_EQ(parameters_hash(parts.state), parameters_hash(whole.state));
  EXPECT_EQ(parts.state.previous_means, whole.state.previous_means);
  EXPECT_NE(parameters_hash(run("plain", "").state), parameters_hash(whole.state));

  // The means of step 4 decide about step 5: there are some on both sides of the floor.
  const std::vector<double> kl = checkpoint(4, "parts").state.previous_means.at("kl");
  ASSERT_EQ(kl.size(), 3U);
  EXPECT_LE(*std::min_element(kl.begin(), kl.end()), 0.02);
  EXPECT_GT(*std::max_element(kl.begin(), kl.end()), 0.02);
}

TEST_F(ObjectiveRuns, RanksAgree) {
  const std::string options = "--set objective.kl.capacity=1 --set objective.kl.capacity_steps=3";
  const checkpoint::Checkpoint one = run("one", options);
  const checkpoint::Checkpoint two = run("two", options, 4, 2);
  const Tensor difference = two.state.parameters.flat() - one.state.parameters.flat();
  EXPECT_LT(difference.abs().max().item<double>(), 1e-10);
}

TEST_F(ObjectiveRuns, TellTheObjectiveAndItsWeight) {
  run("scheduled", "--set objective.kl.schedule=linear --set objective.kl.warmup_steps=4");
  for (const auto& line : metrics("scheduled")) {
    if (line["kind"] != "train") continue;
    const double weight = std::min(1.0, (line["step"].get<double>() - 1) / 4);  // step t is update t + 1
    EXPECT_EQ(line["kl_weight"].get<double>(), weight);
    EXPECT_NEAR(line["objective"].get<double>(),
                line["reconstruction"].get<double>() - weight * line["kl"].get<double>(), 1e-9);
    EXPECT_NEAR(line["elbo"].get<double>(), line["reconstruction"].get<double>() - line["kl"].get<double>(),
                1e-9);
  }
}

TEST_F(ObjectiveRuns, RefuseASchedulesEndBeyondTheRuns) {
  const std::string linear = " --set objective.kl.schedule=linear --set objective.kl.";
  expect_refusal(train(0, vae() + linear + "warmup_steps=7"), ExitCode::bad_config,
                 {"objective.kl.warmup_steps", "step 7", "step 6", "train.steps"});
  expect_refusal(train(0, vae() + linear + "warmup_epochs=1"), ExitCode::bad_config,
                 {"objective.kl.warmup_epochs", "step 9", "step 6"});  // 360 rows by 40
}

// At a rate of next to nothing the bias stays where it began: at the log-odds of the training rows' means, without
// those held out, whatever the number of ranks.
TEST_F(ObjectiveRuns, BeginAtTheMeansOfTheData) {
  const std::string options = "--set model.output_bias=data --set optimizer.learning_rate=1e-13";
  const checkpoint::Checkpoint one = run("one", options);
  const Tensor bias = one.state.parameters["decoder.1/bias"];

  const data::DataFile file(folder_ / "images.h5");
  const std::vector<std::int64_t> rows = data::split_rows(file.facts().rows, 0.1, 1).training;
  ASSERT_LT(rows.size(), 400U);
  const Minibatch all = data::LocalRows(file, rows).slice(0, std::ssize(rows), 0);
  const Tensor means = std::get<DenseRows>(all.rows).features.to(at::kDouble).mean(0) / 255;
  EXPECT_LT((at::sigmoid(bias) - means.clamp(0.001, 0.999)).abs().max().item<double>(), 1e-9);
  EXPECT_GT(means.max().item<double>() - means.min().item<double>(), 0.1);  // no pixel like another

  const checkpoint::Checkpoint two = run("two", options, 8, 2);
  EXPECT_LT((two.state.parameters["decoder.1/bias"] - bias).abs().max().item<double>(), 1e-9);
}

TEST_F(ObjectiveRuns, ResumeAfterTheMeansOfTheDataIsExact) {
  const std::string options = "--set model.output_bias=data --set optimizer.average_decay=0.9";
  const checkpoint::Checkpoint whole = run("whole", options);
  EXPECT_EQ(parameters_hash(run("parts", options, 4).state), parameters_hash(whole.state));
}

TEST_F(ObjectiveRuns, RefuseMeansWhereTheyAreNoLogOdds) {
  const std::string data = vae() + " --set model.output_bias=data ";
  expect_refusal(train(0, data + "--set model.likelihood=gaussian"), ExitCode::bad_config,
                 {"model.output_bias", "gaussian"});
  expect_refusal(train(0, data + "--set model.network=convolutional --set model.channels=[4]"),
                 ExitCode::bad_config, {"model.output_bias", "convolutional"});
}

}  // namespace
}  // namespace svi::test
