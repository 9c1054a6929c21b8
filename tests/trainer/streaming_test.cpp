// Training rows that stream from their file give the run that rows in memory give, to the bit.
#include <fmt/format.h>

#include <cmath>

#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

using nlohmann::json;

class Streaming : public RunFolder {
 protected:
  // 1,800 of 2,000 rows train, in windows of at most 32 of each shard's 225; some 230 KB of words and counts.
  std::string windowed() {
    lda();
    vae();
    write_documents(folder_ / "many.h5", 2000, 80, 1);
    write_images(folder_ / "many-images.h5", 2000, 6, 1);
    return " --set data.shuffle=windowed --set data.window_rows=32 --set checkpoint.every_steps=0";
  }
  std::string lda_command() { return lda() + windowed() + " --set data.train=" + (folder_ / "many.h5"); }
  std::string vae_command() {
    return vae() + windowed() + " --set data.train=" + (folder_ / "many-images.h5");
  }

  // 70 steps: an epoch of 45 and a part of the next.
  std::string trained(int ranks, const std::string& command, const std::string& name,
                      const std::string& limit, std::int64_t steps = 70) {
    const std::string with_limit = limit.empty() ? "" : fmt::format(" --set 'data.memory_limit={}'", limit);
    const Outcome outcome = train(ranks, fmt::format("{} --run-dir {} --set train.steps={}{}", command,
                                                     folder_ / name, steps, with_limit));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
    EXPECT_EQ(outcome.says("streamed from the file"), !limit.empty()) << outcome.all();
    return checkpoint::parameters_hash(checkpoint(steps, name).state);
  }

  // Every figure of the evaluations, those of passes over the training rows among them.
  std::vector<std::string> evaluations(const std::string& name) const {
    std::vector<std::string> lines;
    for (json line : metrics(name)) {
      if (line["kind"] != "evaluation") continue;
      line.erase("seconds");
      lines.push_back(line.dump());
    }
    return lines;
  }
};

TEST_F(Streaming, TopicModelsAreTheSameToTheBit) {
  const std::string command = lda_command();
  const std::string alone = trained(0, command, "memory", "");
  EXPECT_EQ(trained(0, command, "streamed", "160 KiB"), alone);
  EXPECT_NE(trained(0, command + " --set data.shuffle=full", "full", ""), alone);
  EXPECT_NE(trained(0, command + " --set data.window_rows=64", "other", ""), alone);
  ASSERT_GE(evaluations("memory").size(), 1U);
  EXPECT_EQ(evaluations("streamed"), evaluations("memory"));
  EXPECT_NE(evaluations("full"), evaluations("memory"));
  EXPECT_EQ(checkpoint(70, "streamed").facts.data_sha256, checkpoint(70, "memory").facts.data_sha256);
}

TEST_F(Streaming, OnTwoRanks) {
  const std::string command = lda_command();
  EXPECT_EQ(trained(2, command, "streamed", "85 KiB"), trained(2, command, "memory", ""));
  EXPECT_EQ(evaluations("streamed"), evaluations("memory"));
}

TEST_F(Streaming, DenseRowsToo) {
  const std::string command = vae_command();
  EXPECT_EQ(trained(0, command, "streamed", "50kB"), trained(0, command, "memory", ""));
  EXPECT_EQ(evaluations("streamed"), evaluations("memory"));
  // The limit holds in svi-infer too: 88 kB, passed over in the file by one run and in memory by the other.
  const auto evaluated = [&](const std::string& name) {
    return infer(fmt::format("evaluate {} --json --data {}", folder_ / name, folder_ / "many-images.h5"));
  };
  EXPECT_EQ(evaluated("streamed").exit_code, 0) << evaluated("streamed").all();
  EXPECT_EQ(evaluated("streamed").output, evaluated("memory").output);
}

// The limit may change between starts, also from none to one.
TEST_F(Streaming, ResumesWhatWasInMemory) {
  const std::string command = lda_command();
  const std::string at_once = trained(0, command, "at-once", "");
  EXPECT_NE(trained(0, command, "resumed", "", 31), at_once);
  EXPECT_EQ(trained(0, command, "resumed", "160 KiB"), at_once);
}

// Evaluating passes over rows and needs no windows: what fitted on two ranks need not fit on one.
TEST_F(Streaming, EvaluatesARunThatFittedOnMoreRanks) {
  const std::string command = lda_command() + " --set data.shuffle=full --set 'data.memory_limit=160 KiB'" +
                              " --set train.steps=10 --run-dir ";
  const Outcome trained_by_two = train(2, command + (folder_ / "two"));
  ASSERT_EQ(trained_by_two.exit_code, 0) << trained_by_two.all();
  expect_refusal(train(0, command + (folder_ / "one")), ExitCode::bad_config, {"data.shuffle: windowed"});
  const Outcome evaluated = infer("evaluate " + (folder_ / "two") + " --json");
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.all();
  const double value = json::parse(evaluated.output)["log_likelihood_per_word"];
  const double expected = json::parse(evaluations("two").back())["log_likelihood_per_word"];
  EXPECT_NEAR(value, expected, 1e-5 * std::abs(expected)) << evaluated.all();
}

TEST_F(Streaming, StopsOnRequest) {
  const std::string job =
      fmt::format("{}/svi-train {} --set train.steps=1000000000 --set 'data.memory_limit=160 KiB'",
                  SVI_BINARY_DIR, lda_command());
  put_bytes(folder_ / "stop.sh",
            fmt::format("{} & pid=$!\n"
                        "until grep -q '\"step\":60,' {}; do sleep 0.02; done 2>/dev/null\n"
                        "kill -USR2 $pid; wait $pid\n",
                        job, folder_ / "run/metrics.jsonl"));
  const Outcome outcome = run("", "bash " + (folder_ / "stop.sh"));
  EXPECT_EQ(outcome.exit_code, static_cast<int>(ExitCode::stopped)) << outcome.all();
}

// The file loses its end while it trains: no hang, and the message names it.
TEST_F(Streaming, TellsOfAFileThatBreaks) {
  write_documents(folder_ / "large.h5", 60000, 80, 1);
  const std::string command = lda() + windowed() + " --set data.train=" + (folder_ / "large.h5") +
                              " --set data.window_rows=256 --set train.steps=1000000000" +
                              " --set 'data.memory_limit=4 MiB'";
  put_bytes(folder_ / "break.sh",
            fmt::format("{}/svi-train {} & pid=$!\n"
                        "until grep -q '\"step\":5,' {}; do sleep 0.02; done 2>/dev/null\n"
                        "truncate -s 500000 {}\nwait $pid\n",
                        SVI_BINARY_DIR, command, folder_ / "run/metrics.jsonl", folder_ / "large.h5"));
  expect_refusal(run("", "bash " + (folder_ / "break.sh")), ExitCode::bad_data,
                 {folder_ / "large.h5", "/X/"});
}

TEST_F(Streaming, RefusesWhatCannotStream) {
  const auto refused = [&](const std::string& more, const std::vector<std::string>& parts) {
    for (const char* dry : {"", " --dry-run"})
      expect_refusal(train(0, lda_command() + more + dry), ExitCode::bad_config, parts);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "run/metrics.jsonl"));
  };
  refused(" --set data.shuffle=full --set 'data.memory_limit=160 KiB'",
          {"more than data.memory_limit: 160 KiB", "data.shuffle: windowed"});
  refused(" --set 'data.memory_limit=20 KiB'",
          {"more than data.memory_limit: 20 KiB", "windows of 32 rows", "lower data.window_rows"});
  refused(" --set 'data.memory_limit=12 parsecs'", {"data.memory_limit", "12 parsecs", "MiB"});
  refused(" --set data.shuffle=some", {"data.shuffle", "some", "full, windowed"});
  refused(" --set data.window_rows=0", {"data.window_rows", "0", "1 to"});
}

}  // namespace
}  // namespace svi::test
