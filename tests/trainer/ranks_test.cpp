// The same run on any number of ranks, stopped or not.
#include <fmt/format.h>

#include <cmath>

#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

using nlohmann::json;

class Ranks : public RunFolder {
 protected:
  std::string config(const std::string& model) {
    const std::string stale = model.ends_with("stale") ? " --set communication.staleness=1" : "";
    if (model.starts_with("vae")) return vae() + stale;
    return lda() +
           (model.starts_with("lda") ? "" : " --set model.inference=scvb0 --set model.alpha=learned") + stale;
  }

  // To `steps` in the run directory `name`, which it resumes when there is something.
  void train_to(std::int64_t steps, int ranks, const std::string& model, const std::string& name,
                const std::string& more = "") {
    const Outcome outcome =
        train(ranks, fmt::format("{} --run-dir {} --set train.steps={} --set checkpoint.every_steps=0 {}",
                                 config(model), folder_ / name, steps, more));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
  }

  std::string hash(std::int64_t step, const std::string& name) const {
    return checkpoint::parameters_hash(checkpoint(step, name).state);
  }

  // max |Δ| / max |θ| of each tensor at most 10⁻³; sums in another order make it more than 0.
  void expect_same_parameters(std::int64_t step, const std::string& name, const std::string& reference) {
    const TrainingState found = checkpoint(step, name).state;
    const TrainingState expected = checkpoint(step, reference).state;
    double largest = 0;
    for (const auto& [tensor, difference] : differences(found.parameters, expected.parameters)) {
      EXPECT_LE(difference, 1e-3) << tensor << " of " << name;
      largest = std::max(largest, difference);
    }
    fmt::print("{} at step {}: parameters differ from {}'s by {:.1e}\n", name, step, reference, largest);
  }

  json last_evaluation(const std::string& name, const std::string& split) const {
    json last;
    for (const json& line : metrics(name)) {
      if (line["kind"] == "evaluation" && line["split"] == split) last = line;
    }
    return last;
  }

  void expect_one_line_a_step(std::int64_t steps, const std::string& name) const {
    std::int64_t expected = 1;
    for (const json& line : metrics(name)) {
      if (line["kind"] != "train") continue;
      EXPECT_EQ(line["step"], expected++);
    }
    EXPECT_EQ(expected, steps + 1);
  }
};

class AnyNumber : public Ranks, public ::testing::WithParamInterface<const char*> {};

// 200 steps are twenty-two epochs. What is held out agrees to 4 digits and is better than after one step.
TEST_P(AnyNumber, OfRanksTrainsTheSameModel) {
  const std::string model = GetParam();
  const std::string test_data = folder_ / "test.h5";
  const bool is_vae = model.starts_with("vae");
  is_vae ? write_images(test_data, 60, 6, 2) : write_documents(test_data, 60, 80, 2);
  const std::string with_test = "--set data.test=" + test_data;
  train_to(1, 0, model, "one-step", with_test);
  for (int ranks = 1; ranks <= 4; ++ranks) {
    const std::string name = fmt::format("{}-ranks", ranks);
    train_to(200, ranks, model, name, with_test);
    EXPECT_EQ(checkpoint(200, name).facts.ranks_at_save, ranks);
    expect_same_parameters(200, name, "1-ranks");
    for (const char* split : {"validation", "test"}) {
      const json found = last_evaluation(name, split);
      const json expected = last_evaluation("1-ranks", split);
      const std::string selection = is_vae ? "elbo" : "log_likelihood_per_word";
      for (const std::string& figure : {std::string("elbo"), selection}) {
        if (!expected.contains(figure)) continue;  // scvb0 has no ELBO
        const double value = expected[figure];
        EXPECT_NEAR(found[figure].get<double>(), value, 1e-4 * std::abs(value)) << split << " " << figure;
      }
      const double gain =
          found[selection].get<double>() - last_evaluation("one-step", split)[selection].get<double>();
      EXPECT_GT(gain, is_vae ? 8.0 : 0.3) << split;
      if (ranks == 1) fmt::print("{} {} gained {:.3f} in 199 steps\n", split, selection, gain);
    }
  }
}

// 31 and 62 steps end in the middle of an epoch of nine.
TEST_P(AnyNumber, OfStopsGivesTheSameBits) {
  const std::string model = GetParam();
  for (const int ranks : {0, 2}) {
    const std::string name = fmt::format("{}-resumed-on-{}", model, ranks);
    const std::string reference = fmt::format("{}-at-once-on-{}", model, ranks);
    train_to(62, ranks, model, reference);
    train_to(31, ranks, model, name);
    EXPECT_NE(hash(31, name), hash(62, reference));
    train_to(62, ranks, model, name);
    EXPECT_EQ(hash(62, name), hash(62, reference));
    expect_one_line_a_step(62, name);
  }
}

TEST_P(AnyNumber, OfRanksGoesOnWithARunOfAnother) {
  const std::string model = GetParam();
  train_to(62, 0, model, "at-once");
  train_to(31, 2, model, "resumed");
  train_to(62, 3, model, "resumed");
  EXPECT_EQ(checkpoint(62, "resumed").facts.ranks_at_save, 3);
  expect_same_parameters(62, "resumed", "at-once");
  expect_one_line_a_step(62, "resumed");
}

INSTANTIATE_TEST_SUITE_P(Models, AnyNumber,
                         ::testing::Values("lda", "scvb0", "vae", "scvb0_stale", "vae_stale"),
                         [](const auto& tested) { return std::string(tested.param); });

class Stopped : public Ranks {
 protected:
  // Starts `command` in the run directory "run", sends it the signal after some steps and waits for its end.
  Outcome stop(const std::string& signal, const std::string& command) {
    put_bytes(folder_ / "stop.sh",
              fmt::format("{} & pid=$!\n"
                          "until grep -q '\"step\":25,' {}; do sleep 0.02; done 2>/dev/null\n"
                          "kill -{} $pid; wait $pid\n",
                          command, folder_ / "run/metrics.jsonl", signal));
    return run(mpirun_variables, "bash " + (folder_ / "stop.sh"));
  }

  void expect_goes_on_as_if_never_stopped(const Outcome& outcome, int ranks) {
    ASSERT_EQ(outcome.exit_code, static_cast<int>(ExitCode::stopped)) << outcome.all();
    EXPECT_TRUE(outcome.says("start the same command again to resume")) << outcome.all();
    const std::int64_t step = metrics("run").back()["step"];
    ASSERT_GE(step, 25);
    ASSERT_TRUE(std::filesystem::exists(checkpoint_path(step))) << outcome.all();
    train_to(step + 20, ranks, "lda", "run");
    train_to(step + 20, ranks, "lda", "at-once");
    EXPECT_EQ(hash(step + 20, "run"), hash(step + 20, "at-once"));
    expect_one_line_a_step(step + 20, "run");
  }

  // As good as endless, yet no run of another kind.
  const std::string endless_ = " --set train.steps=1000000000 --set checkpoint.every_steps=0";
};

TEST_F(Stopped, ByEachSignal) {
  for (const char* signal : {"TERM", "USR2", "INT"}) {
    SCOPED_TRACE(signal);
    std::filesystem::remove_all(folder_ / "run");
    std::filesystem::remove_all(folder_ / "at-once");
    expect_goes_on_as_if_never_stopped(stop(signal, SVI_BINARY_DIR "/svi-train " + lda() + endless_), 0);
  }
}

TEST_F(Stopped, AllRanksAtTheSameStep) {
  const std::string job = fmt::format("{} -np 2 {}/svi-train {}", SVI_MPIEXEC, SVI_BINARY_DIR, lda());
  expect_goes_on_as_if_never_stopped(stop("USR2", job + endless_), 2);
}

// One run at a time in a directory: what a second one gets, and that the first goes on.
TEST_F(Stopped, ByNoOtherRunInItsDirectory) {
  const std::string first = SVI_BINARY_DIR "/svi-train " + lda() + endless_;
  put_bytes(folder_ / "second.sh",
            fmt::format("{0} >{1} 2>&1 & pid=$!\n"
                        "until grep -q '\"step\":25,' {2}; do sleep 0.02; done 2>/dev/null\n"
                        "{0}; echo second: $?\n"
                        "kill -TERM $pid; wait $pid; echo first: $?\n",
                        first, folder_ / "first.log", folder_ / "run/metrics.jsonl"));
  const Outcome outcome = run("", "bash " + (folder_ / "second.sh"));
  EXPECT_TRUE(outcome.says("second: 73")) << outcome.all();
  EXPECT_TRUE(outcome.says("in use by another run")) << outcome.all();
  EXPECT_TRUE(outcome.says("first: 75")) << outcome.all();
  EXPECT_GT(metrics().back()["step"], 25);
}

class InCommon : public Ranks, public ::testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Settings, InCommon,
                         ::testing::Values("", "--set model.inference=scvb0 --set model.alpha=learned",
                                           "--set model.eta=holdout --set evaluation.every_epochs=1",
                                           "--set device.precision=float64 --set device.threads=2",
                                           "--set optimizer.delay=1 --set optimizer.forgetting_rate=1"));

// One λ of all ranks or one of each: the same bits, also when a run of the one kind goes on as one of the
// other.
TEST_P(InCommon, AMatrixChangesNoBit) {
  const std::string settings = GetParam();
  // So many words that each of three ranks has a part of those of a step, and in each part one with a prior.
  write_documents(folder_ / "many-words.h5", 400, 900, 4);
  const std::string priors = folder_ / "priors.tsv";
  put_bytes(priors, "word0\t0.5\nword899\t2\nword440\t3\t1.5\n");
  const std::string common = fmt::format("{} --set data.train={} --set train.batch=200 --set model.prior_file={}",
                                         settings, folder_ / "many-words.h5", priors);
  const std::string apart = common + " --set communication.shared_memory=false";
  for (const int ranks : {2, 3}) {
    const std::string name = fmt::format("{}-ranks", ranks);
    train_to(40, ranks, "lda", name + "-apart", apart);
    train_to(20, ranks, "lda", name, common);
    train_to(40, ranks, "lda", name, common);
    EXPECT_EQ(hash(40, name), hash(40, name + "-apart"));
    train_to(20, ranks, "lda", name + "-mixed", common);
    train_to(40, ranks, "lda", name + "-mixed", apart);
    EXPECT_EQ(hash(40, name + "-mixed"), hash(40, name + "-apart"));
    EXPECT_NE(hash(20, name), hash(40, name));
  }
}

class Few : public Ranks {};

// Most of the 64 shards are empty, and ranks are without rows in most steps or at all.
TEST_F(Few, RowsForManyRanks) {
  write_documents(folder_ / "documents-few.h5", 9, 80, 3);
  write_images(folder_ / "images-few.h5", 3, 6, 3);
  for (const std::string model : {"lda", "vae"}) {
    const std::string data = folder_ / (model == "lda" ? "documents-few.h5" : "images-few.h5");
    const std::string more = fmt::format(
        "--set data.train={0} --set data.validation={0} --set data.shards=64 --set train.batch=2", data);
    train_to(12, 0, model, model + "-alone", more);
    train_to(12, 4, model, model + "-four", more);
    expect_same_parameters(12, model + "-four", model + "-alone");
    const double value = last_evaluation(model + "-alone", "validation")["elbo"];
    EXPECT_NEAR(last_evaluation(model + "-four", "validation")["elbo"].get<double>(), value,
                1e-4 * std::abs(value));
  }
}

}  // namespace
}  // namespace svi::test
