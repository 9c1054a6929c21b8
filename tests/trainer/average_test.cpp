// The moving average of the parameters, through whole runs and into what uses their checkpoints.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "svi/optim/update_rule.hpp"
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

using checkpoint::parameters_hash;

class Average : public RunFolder {
 protected:
  std::string config(const std::string& name, std::int64_t steps, const std::string& more) {
    write_images(folder_ / "test.h5", 100, 6, 2);
    return fmt::format("{} --set run.name={} --set train.steps={} --set data.test={} {}", vae(), name, steps,
                       folder_ / "test.h5", more);
  }
  void run(const std::string& name, std::int64_t steps, const std::string& more, int ranks = 0) {
    const Outcome outcome = train(ranks, config(name, steps, more));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
  }
  double figure(const std::string& name, const std::string& split) const {
    double elbo = 0;
    for (const auto& line : metrics(name)) {
      if (line["kind"] == "evaluation" && line["split"] == split) elbo = line["elbo"];
    }
    return elbo;
  }
};

constexpr const char* averaged = "--set optimizer.average_decay=0.95";

TEST_F(Average, IsWhatIsEvaluatedAndSavedAndUsed) {
  run("plain", 40, "");
  run("averaged", 40, averaged);
  const TrainingState state = checkpoint(40, "averaged").state;
  const TrainingState plain = checkpoint(40, "plain").state;
  for (const auto& [tensor, difference] : differences(state.parameters, plain.parameters))
    EXPECT_LE(difference, 1e-4) << tensor;  // training does not look at the average
  double largest = 0;
  for (const auto& [tensor, difference] : differences(evaluated_parameters(state), state.parameters))
    largest = std::max(largest, difference);
  EXPECT_GT(largest, 0.01);
  EXPECT_GT(std::abs(figure("averaged", "test") - figure("plain", "test")), 0.01);

  // svi-infer reads the same parameters as the run's own evaluation.
  for (const char* name : {"plain", "averaged"}) {
    const Outcome outcome =
        infer(fmt::format("evaluate {} --data {} --json", checkpoint_path(40, name), folder_ / "test.h5"));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
    const double elbo = nlohmann::json::parse(outcome.output)["elbo"];
    EXPECT_NEAR(elbo, figure(name, "test"), 1e-3) << name;
  }
}

TEST_F(Average, ResumeIsExact) {
  const std::string extras = fmt::format(
      "{} --set optimizer.weight_decay=0.05 --set optimizer.clip_norm=2 --set optimizer.schedule=piecewise "
      "--set optimizer.piece_epochs=[1,1] --set optimizer.piece_factors=[1,0.3]",
      averaged);
  run("whole", 20, extras);
  run("parts", 8, extras);
  run("parts", 20, extras);
  EXPECT_EQ(parameters_hash(checkpoint(20, "parts").state), parameters_hash(checkpoint(20, "whole").state));
  run("two", 20, extras, 2);
  for (const auto& [tensor, difference] : differences(evaluated_parameters(checkpoint(20, "two").state),
                                                      evaluated_parameters(checkpoint(20, "whole").state)))
    EXPECT_LE(difference, 1e-3) << tensor;
  for (const auto& line : metrics("whole")) {  // 360 rows by 40: epochs of nine steps
    if (line["kind"] != "train") continue;
    EXPECT_DOUBLE_EQ(line["learning_rate"], line["step"] <= 9 ? 0.01 : 0.003);
  }
}

TEST_F(Average, CannotBeginHalfWay) {
  run("run", 6, "");
  expect_refusal(train(0, config("run", 8, averaged)), ExitCode::bad_config,
                 {"optimizer.average_decay: was 0, is 0.95"});
}

TEST_F(Average, AWarmStartTakesItAndBeginsItAnew) {
  run("first", 20, averaged);
  run("second", 1,
      fmt::format("{} --set run.warm_start={} --set optimizer.learning_rate=1e-12", averaged,
                  checkpoint_path(20, "first")));
  const TrainingState first = checkpoint(20, "first").state;
  const TrainingState second = checkpoint(1, "second").state;
  for (const auto& [tensor, difference] : differences(second.parameters, evaluated_parameters(first)))
    EXPECT_LE(difference, 1e-6) << tensor;

  // The first average of a run is what its first step led to: nothing of the earlier run's is in it.
  run("third", 1, fmt::format("{} --set run.warm_start={}", averaged, checkpoint_path(20, "first")));
  const TrainingState third = checkpoint(1, "third").state;
  double moved = 0;
  for (const auto& [tensor, difference] : differences(third.parameters, second.parameters))
    moved = std::max(moved, difference);
  EXPECT_GT(moved, 1e-3);
  for (const auto& [tensor, difference] : differences(evaluated_parameters(third), third.parameters))
    EXPECT_LE(difference, 1e-6) << tensor;
}

TEST_F(Average, WarnsOfWhatComesAfterTheEnd) {
  const Outcome outcome =
      train(0, config("short", 9,
                      "--set optimizer.schedule=piecewise --set optimizer.piece_epochs=[1,1] "
                      "--set optimizer.piece_factors=[1,0.3]"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
  EXPECT_TRUE(outcome.says("piece 2 of 2 would come only after step 9")) << outcome.all();
  const Outcome wide = train(0, config("wide", 3, "--set model.latent=36"));
  EXPECT_EQ(wide.exit_code, 0) << wide.all();
  EXPECT_TRUE(wide.says("model.latent is 36, but a row has no more than 36 features")) << wide.all();
}

}  // namespace
}  // namespace svi::test
