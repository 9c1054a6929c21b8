// Runs that fail under way.
#include <fmt/format.h>

#include <sstream>

#include "support/preload.hpp"
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

class Diverged : public RunFolder, public ::testing::WithParamInterface<int> {};

TEST_P(Diverged, IsSaidWithTheRemedyAndKeepsCheckpoints) {
  const Outcome outcome =
      train(GetParam(), vae() +
                            " --set optimizer.type=sgd --set optimizer.learning_rate=1e30 "
                            "--set optimizer.warmup_steps=3 --set checkpoint.every_steps=1");
  expect_refusal(outcome, ExitCode::internal, {"no longer finite", "diverged", "optimizer.learning_rate"});
  EXPECT_TRUE(std::filesystem::exists(checkpoint_path(1)));
  for (const auto& line : metrics()) EXPECT_TRUE(line.contains("step")) << line;
}

INSTANTIATE_TEST_SUITE_P(Ranks, Diverged, ::testing::Values(0, 2),
                         [](const auto& tested) { return std::to_string(tested.param); });

class Killed : public RunFolder {};

// mpirun ends the others; whatever was saved last is where the next start goes on.
TEST_F(Killed, OneRankEndsTheJobWhichCanGoOn) {
  put_bytes(folder_ / "kill.sh",
            fmt::format("{} -np 2 {}/svi-train {} --set train.steps=1000000000 & job=$!\n"
                        "until grep -q '\"step\":25,' {}; do sleep 0.02; done 2>/dev/null\n"
                        "read -r _ last </proc/$job/task/$job/children\n"
                        "kill -KILL $last; wait $job; echo ended: $?\n",
                        SVI_MPIEXEC, SVI_BINARY_DIR, vae(), folder_ / "run/metrics.jsonl"));
  const Outcome outcome = run(mpirun_variables, "bash " + (folder_ / "kill.sh"));
  EXPECT_TRUE(outcome.says("ended: 137")) << outcome.all();
  const auto store = checkpoint::CheckpointStore(folder_ / "run/checkpoints", 3);
  const auto newest =
      store.newest([](const std::string&, const std::string& reason) { ADD_FAILURE() << reason; });
  ASSERT_TRUE(newest);
  const std::int64_t step = newest->state.step;
  EXPECT_GE(step, 24);
  const Outcome next = train(2, fmt::format("{} --set train.steps={}", vae(), step + 4));
  EXPECT_EQ(next.exit_code, 0) << next.all();
  EXPECT_TRUE(next.says(fmt::format("resumed at step {} of {}", step, step + 4))) << next.all();
}

class FullDisk : public RunFolder {
 protected:
  void SetUp() override {
    if (const char* reason = no_preload_reason()) GTEST_SKIP() << reason;
  }

  // From this call on that touches `part` of the run directory, the disk is full.
  std::string fault(const std::string& part, std::size_t call) const {
    return fmt::format(
        "LD_PRELOAD={} SVI_FAULT_ACTION=ENOSPC SVI_FAULT_FOLDER={} SVI_FAULT_CALL={} SVI_FAULT_REPORT={} ",
        SVI_FAULT_PRELOAD, folder_ / ("run/" + part), call, folder_ / "report");
  }

  // The number of the first call on a file of this name, in a run without a fault.
  std::size_t first_call_on(const std::string& part, const std::string& name) {
    EXPECT_EQ(train(0, lda(), fault(part, 0)).exit_code, 0);
    std::filesystem::remove_all(folder_ / "run");
    std::istringstream report(bytes_of(folder_ / "report"));
    std::size_t call = 1;
    for (std::string line; std::getline(report, line); ++call) {
      if (line.find(name) != std::string::npos) return call;
    }
    ADD_FAILURE() << "no call on " << name;
    return 0;
  }
};

TEST_F(FullDisk, WhileSavingLeavesEarlierCheckpointsAsTheyWere) {
  const std::size_t save = first_call_on("checkpoints", "step-000000000004");
  for (const int ranks : {0, 2}) {
    SCOPED_TRACE(ranks);
    std::filesystem::remove_all(folder_ / "run");
    expect_refusal(train(ranks, lda(), fault("checkpoints", save + 2)), ExitCode::cannot_write,
                   {checkpoint_path(4), "No space left"});
    EXPECT_EQ(checkpoint(2).state.step, 2);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "run/checkpoints")) {
      EXPECT_EQ(entry.path(), checkpoint_path(2));
      ++files;
    }
    EXPECT_EQ(files, 1U);
    const Outcome outcome = train(ranks, lda());
    EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
    EXPECT_TRUE(outcome.says("resumed at step 2 of 6")) << outcome.all();
  }
}

TEST_F(FullDisk, WhileWritingMetricsIsSaid) {
  const std::size_t calls = first_call_on("metrics.jsonl", "write");
  expect_refusal(train(0, lda(), fault("metrics.jsonl", calls + 3)), ExitCode::cannot_write,
                 {folder_ / "run/metrics.jsonl", "No space left", "resume"});
  const Outcome outcome = train(0, lda());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
  std::int64_t step = 0;
  for (const auto& line : metrics()) {
    if (line["kind"] != "train") continue;
    EXPECT_EQ(line["step"], ++step);
  }
  EXPECT_EQ(step, 6);
}

}  // namespace
}  // namespace svi::test
