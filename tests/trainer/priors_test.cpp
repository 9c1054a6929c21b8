// Priors that a run learns, chooses on its validation rows or reads from a file: on any number of ranks,
// stopped or not.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

using nlohmann::json;

class Priors : public RunFolder, public ::testing::WithParamInterface<const char*> {
 protected:
  // Words of the four topics' own parts of the vocabulary, one of all topics, two that no document has.
  std::string prior_file() {
    const std::string path = folder_ / "priors.tsv";
    put_bytes(path,
              "# seeds\nword1\t0\t20\nword21\t1\t20\nword41\t2\t20\nword61\t3\t20\nword5\t0.5\n"
              "unheard\t3\nof\t1\t1\n");
    return path;
  }
  std::string setting(const std::string& kind) {
    return kind == "file" ? "--set model.prior_file=" + prior_file() : "--set model.eta=" + kind;
  }
  Outcome start(std::int64_t steps, int ranks, const std::string& name, const std::string& more) {
    return train(ranks, fmt::format("{} --run-dir {} --set train.steps={} --set checkpoint.every_steps=0 "
                                    "--set evaluation.every_steps=10 {}",
                                    lda(), folder_ / name, steps, more));
  }
  void train_to(std::int64_t steps, int ranks, const std::string& name, const std::string& more) {
    const Outcome outcome = start(steps, ranks, name, more);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
  }
  std::string hash(std::int64_t step, const std::string& name) const {
    return checkpoint::parameters_hash(checkpoint(step, name).state);
  }
  double eta(std::int64_t step, const std::string& name) const {
    return checkpoint(step, name).state.parameters["eta"].const_data_ptr<float>()[0];
  }
  // A figure of all lines of a kind, by step.
  std::vector<std::pair<std::int64_t, double>> figures(const std::string& kind, const std::string& figure,
                                                       const std::string& name) const {
    std::vector<std::pair<std::int64_t, double>> list;
    for (const json& line : metrics(name)) {
      if (line["kind"] == kind && line.contains(figure)) list.emplace_back(line["step"], line[figure]);
    }
    return list;
  }
};

TEST_P(Priors, AreTheSameOnAnyNumberOfRanks) {
  const std::string more = setting(GetParam());
  for (int ranks = 1; ranks <= 3; ++ranks) {
    const std::string name = fmt::format("{}-ranks", ranks);
    train_to(140, ranks, name, more);
    const TrainingState found = checkpoint(140, name).state;
    for (const auto& [tensor, difference] :
         differences(found.parameters, checkpoint(140, "1-ranks").state.parameters)) {
      EXPECT_LE(difference, 1e-3) << tensor << " on " << ranks << " ranks";
    }
    EXPECT_EQ(checkpoint(140, name).facts.word_priors.size(), std::string(GetParam()) == "file" ? 5U : 0U);
  }
  train_to(140, 0, "fixed", "");
  EXPECT_NE(hash(140, "1-ranks"), hash(140, "fixed"));
}

// Ends at 67, between the evaluations at 60 and 70 and after η was learned at 64.
TEST_P(Priors, GoOnAsIfNeverStopped) {
  const std::string more = setting(GetParam());
  for (const int ranks : {0, 2}) {
    const std::string name = fmt::format("resumed-on-{}", ranks);
    const std::string reference = fmt::format("at-once-on-{}", ranks);
    train_to(140, ranks, reference, more);
    train_to(67, ranks, name, more);
    train_to(140, ranks, name, more);
    EXPECT_EQ(hash(140, name), hash(140, reference));
    EXPECT_EQ(figures("train", "elbo", name), figures("train", "elbo", reference));
    EXPECT_EQ(figures("train", "eta", name), figures("train", "eta", reference));
  }
}

TEST_P(Priors, SurviveAKilledRun) {
  const std::string more = setting(GetParam());
  const std::string command = fmt::format(
      "{}/svi-train {} --run-dir {} --set train.steps=1000000000 --set checkpoint.every_steps=5 "
      "--set evaluation.every_steps=10 {}",
      SVI_BINARY_DIR, lda(), folder_ / "killed", more);
  put_bytes(folder_ / "kill.sh",
            fmt::format("{} & pid=$!\n"
                        "until grep -q '\"step\":66,' {}; do sleep 0.02; done 2>/dev/null\n"
                        "kill -KILL $pid; wait $pid\n",
                        command, folder_ / "killed/metrics.jsonl"));
  run("", "bash " + (folder_ / "kill.sh"));
  // The last line may be cut off, and the newest checkpoint is of some steps before it.
  const std::string text = bytes_of(folder_ / "killed/metrics.jsonl");
  const auto lines = std::count(text.begin(), text.end(), '\n');
  ASSERT_GE(lines, 66);
  train_to(lines + 40, 0, "killed", more);
  train_to(lines + 40, 0, "at-once", more);
  EXPECT_EQ(hash(lines + 40, "killed"), hash(lines + 40, "at-once"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, Priors, ::testing::Values("learned", "holdout", "file"),
                         [](const auto& tested) { return std::string(tested.param); });

class PriorSettings : public Priors {};

TEST_F(PriorSettings, EtaIsToldWhereItIsNotFixed) {
  train_to(130, 0, "learned", "--set model.eta=learned");
  const auto learned = figures("train", "eta", "learned");
  ASSERT_EQ(learned.size(), 130U);
  EXPECT_FLOAT_EQ(static_cast<float>(learned[62].second), 0.01F);
  EXPECT_NE(learned[63].second, learned[62].second);  // after step 64
  EXPECT_EQ(learned[63].second, learned[126].second);
  EXPECT_EQ(learned[129].second, eta(130, "learned"));
  train_to(30, 0, "holdout", "--set model.eta=holdout");
  const auto chosen = figures("evaluation", "eta", "holdout");
  ASSERT_EQ(chosen.size(), 3U);
  EXPECT_GT(std::fabs(std::log(chosen[0].second / 0.3)), 0.4);  // at least one step of the search
  EXPECT_EQ(chosen[2].second, eta(30, "holdout"));
  train_to(30, 0, "fixed", "--set model.eta=0.3");
  EXPECT_TRUE(figures("evaluation", "eta", "fixed").empty());
  // What the search chose is better on the hold-out than where it began.
  const auto score = [&](const std::string& name) {
    return figures("evaluation", "log_likelihood_per_word", name).front().second;
  };
  EXPECT_GT(score("holdout"), score("fixed"));
}

TEST_F(PriorSettings, HoldoutNeedsRowsAndEvaluations) {
  const std::string holdout = lda() + " --set model.eta=holdout ";
  expect_refusal(train(0, holdout + "--set evaluation.every_epochs=0"), ExitCode::bad_config,
                 {"model.eta: holdout", "evaluation.every_epochs or evaluation.every_steps"});
  expect_refusal(train(0, holdout + "--set data.validation.fraction=0"), ExitCode::bad_config,
                 {"model.eta: holdout", "data.validation"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/metrics.jsonl"));
}

TEST_F(PriorSettings, EvaluationsArePartOfARunThatChoosesByThem) {
  train_to(20, 0, "run", "--set model.eta=holdout");
  expect_refusal(start(30, 0, "run", "--set model.eta=holdout --set evaluation.every_steps=5"),
                 ExitCode::bad_config, {"evaluation.every_steps: was 10, is 5"});
  train_to(30, 0, "run", "--set model.eta=holdout");
  train_to(20, 0, "fixed", "");
  train_to(30, 0, "fixed", "--set evaluation.every_steps=5");
}

TEST_F(PriorSettings, AFileIsComparedByWhatItSays) {
  const std::string more = "--set model.prior_file=" + prior_file();
  const Outcome first = start(20, 0, "run", more);
  ASSERT_EQ(first.exit_code, 0) << first.all();
  EXPECT_TRUE(first.says("2 words are not in the vocabulary")) << first.all();
  EXPECT_TRUE(first.says("unheard, of")) << first.all();
  // Another path, another order and a comment are the same priors.
  put_bytes(folder_ / "moved.tsv",
            "word61\t3\t20\nword5\t0.5\nword1\t0\t20\n# here too\nword21\t1\t20\nword41\t2\t20\n");
  train_to(25, 0, "run", "--set model.prior_file=" + (folder_ / "moved.tsv"));
  put_bytes(folder_ / "other.tsv", "word61\t3\t20\nword5\t0.5\nword1\t0\t20\nword21\t1\t20\nword41\t2\t21\n");
  const std::string before = bytes_of(checkpoint_path(25));
  for (const std::string& other : {"--set model.prior_file=" + (folder_ / "other.tsv"), std::string()}) {
    expect_refusal(start(30, 0, "run", other), ExitCode::bad_config,
                   {folder_ / "run", "other priors of words", other.empty() ? "(none)" : "other.tsv"});
  }
  EXPECT_EQ(bytes_of(checkpoint_path(25)), before);
}

TEST_F(PriorSettings, ABadFileIsRefusedOnceWithItsLine) {
  put_bytes(folder_ / "bad.tsv", "word1\t0\t20\nword2\t4\t1\n");
  const std::string bad = "--set model.prior_file=" + (folder_ / "bad.tsv");
  for (const int ranks : {0, 2}) {
    expect_refusal(start(20, ranks, "run", bad), ExitCode::bad_data,
                   {"model.prior_file", "bad.tsv, line 2", "\"4\"", "0 to 3"});
  }
  expect_refusal(start(20, 0, "run", "--set model.prior_file=" + (folder_ / "none.tsv")),
                 ExitCode::missing_input, {"model.prior_file", "none.tsv"});
}

TEST_F(PriorSettings, AListOfAnotherLengthIsRefused) {
  expect_refusal(start(20, 0, "run", "--set 'model.alpha=[0.1, 0.2, 0.3]'"), ExitCode::bad_config,
                 {"model.alpha is a list of 3 numbers", "expected 4"});
  train_to(20, 2, "run", "--set 'model.alpha=[0.1, 0.2, 0.3, 0.4]'");
  train_to(25, 0, "run", "--set 'model.alpha=[0.1, 0.2, 0.3, 0.4]'");
  expect_refusal(start(30, 0, "run", "--set 'model.alpha=[0.1, 0.2, 0.3, 0.5]'"), ExitCode::bad_config,
                 {"model.alpha: was [0.1, 0.2, 0.3, 0.4], is [0.1, 0.2, 0.3, 0.5]"});
}

// A checkpoint has the priors in it: what is done with the model needs no file.
TEST_F(PriorSettings, TravelWithTheModel) {
  const std::string path = prior_file();
  train_to(20, 0, "run", "--set model.prior_file=" + path);
  std::filesystem::remove(path);
  for (const std::string& command :
       {"topics " + (folder_ / "run"), "evaluate " + (folder_ / "run"),
        fmt::format("export {} --format gensim --output {}", folder_ / "run", folder_ / "lda.gensim")}) {
    const Outcome outcome = infer(command);
    EXPECT_EQ(outcome.exit_code, 0) << command << outcome.all();
  }
}

}  // namespace
}  // namespace svi::test
