// When the hold-out ends a run, and what evaluations are made on.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "svi/data/data_file.hpp"
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

class Evaluations : public RunFolder {
 protected:
  // Each step is evaluated; single small batches and hardly any decay make the hold-out go up and down.
  std::string noisy(const std::string& name, const std::string& more = "") {
    return lda() +
           " --set optimizer.forgetting_rate=0.5 --set optimizer.delay=1 --set train.batch=8 "
           "--set evaluation.every_steps=1 --set checkpoint.every_steps=0 --set train.steps=150 "
           "--set checkpoint.keep_last=200 --set run.name=" +
           name + " " + more;
  }

  void done(int ranks, const std::string& arguments) const {
    const Outcome outcome = train(ranks, arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
  }

  std::map<std::int64_t, double> hold_out(const std::string& run) const {
    std::map<std::int64_t, double> values;
    for (const auto& line : metrics(run)) {
      if (line["kind"] == "evaluation" && line["split"] == "validation")
        values[line["step"]] = line["log_likelihood_per_word"];
    }
    return values;
  }

  std::optional<nlohmann::json> event(const std::string& run, const std::string& name) const {
    for (const auto& line : metrics(run)) {
      if (line["kind"] == "event" && line["event"] == name) return line;
    }
    return std::nullopt;
  }

  // The step at which `patience` evaluations, at multiples of `every`, have brought no new best.
  static std::int64_t end_of(const std::map<std::int64_t, double>& values, std::int64_t every,
                             std::int64_t patience) {
    double best = -1e300;
    std::int64_t without = 0;
    for (const auto& [step, value] : values) {
      if (step % every != 0) continue;
      without = value > best ? 0 : without + 1;
      best = std::max(best, value);
      if (without == patience) return step;
    }
    return -1;
  }

  std::string hash(std::int64_t step, const std::string& run) const {
    return checkpoint::parameters_hash(checkpoint(step, run).state);
  }
};

class Patience : public Evaluations {
 protected:
  void SetUp() override {
    done(0, noisy("patient"));
    all_ = hold_out("patient");
    ASSERT_EQ(all_.size(), 150U);
    end_ = end_of(all_, 1, 3);
    ASSERT_GT(end_, 4);  // else the runs below would end for another reason
    ASSERT_LT(end_, 140);
  }

  std::map<std::int64_t, double> all_;  // of a run without patience
  std::int64_t end_ = 0;                // of one with a patience of 3
};

TEST_F(Patience, EndsTheRunAndKeepsTheBest) {
  EXPECT_FALSE(event("patient", "patience_spent"));
  done(0, noisy("short", "--set evaluation.patience=3"));
  const auto values = hold_out("short");
  EXPECT_EQ(values.rbegin()->first, end_);
  for (const auto& [step, value] : values) EXPECT_EQ(value, all_.at(step)) << step;
  const auto told = event("short", "patience_spent");
  ASSERT_TRUE(told);
  EXPECT_EQ((*told)["step"], end_);
  EXPECT_NE((*told)["text"].get<std::string>().find(fmt::format("ended at step {} of 150", end_)),
            std::string::npos)
      << *told;
  EXPECT_EQ(checkpoint(end_, "short").state.step, end_);
  const auto best = checkpoint::read_checkpoint(folder_ / "short/checkpoints/best.h5").state;
  EXPECT_EQ(best.step, end_ - 3);
  EXPECT_EQ(best.best_value, all_.at(end_ - 3));
}

TEST_F(Patience, IsTheSameOnTwoRanks) {
  done(2, noisy("two", "--set evaluation.patience=3"));
  EXPECT_EQ(hold_out("two").rbegin()->first, end_);
}

// Cut after each of the evaluations that count, a run ends where the run never cut does.
TEST_F(Patience, IsTheSameAfterAResume) {
  done(0, noisy("whole", "--set evaluation.patience=3"));
  for (std::int64_t cut = end_ - 4; cut < end_; ++cut) {
    const std::string name = fmt::format("cut-{}", cut);
    done(0, noisy(name, fmt::format("--set evaluation.patience=3 --set train.steps={}", cut)));
    done(cut % 2 == 0 ? 0 : 2, noisy(name, "--set evaluation.patience=3"));
    EXPECT_EQ(hold_out(name).rbegin()->first, end_) << cut;
    if (cut % 2 != 0) continue;  // two ranks come to other last bits
    EXPECT_EQ(hash(end_, name), hash(end_, "whole")) << cut;
  }
}

TEST_F(Patience, MayChangeOnResume) {
  write_documents(folder_ / "test.h5", 60, 80, 2);
  const std::string with_test = " --set data.test=" + (folder_ / "test.h5");
  done(0, noisy("short", "--set evaluation.patience=3" + with_test));
  for (int start = 0; start < 2; ++start) {  // over: nothing is trained, and the test is told once
    done(0, noisy("short", "--set evaluation.patience=3" + with_test));
    EXPECT_EQ(hold_out("short").rbegin()->first, end_);
    const auto lines = metrics("short");
    EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                            [](const auto& line) { return line.value("split", "") == "test"; }),
              1);
  }
  // One evaluation more is waited for, unless that is a new best.
  done(0, noisy("short", "--set evaluation.patience=4"));
  EXPECT_EQ(hold_out("short").rbegin()->first, end_of(all_, 1, 4) < 0 ? 150 : end_of(all_, 1, 4));
}

// The count is of the evaluations as they are set now.
TEST_F(Patience, CountsEvaluationsAtTheirPresentDistance) {
  done(0, noisy("spaced", fmt::format("--set train.steps={}", end_ - 3)));  // stops at the best
  done(0, noisy("spaced", "--set evaluation.patience=1 --set evaluation.every_steps=500"));
  EXPECT_EQ(hold_out("spaced").rbegin()->first, 150);
  done(0,
       noisy("near", fmt::format("--set train.steps={}", end_ - 1)));  // two evaluations without a new best
  done(0, noisy("near", "--set evaluation.patience=2"));
  EXPECT_EQ(hold_out("near").rbegin()->first, end_ - 1);
  EXPECT_TRUE(event("near", "patience_spent"));
}

TEST_F(Patience, ForgetsABestOfAnotherMeasure) {
  done(0, noisy("changed", fmt::format("--set train.steps={}", end_)));
  const std::string other = "--set evaluation.patience=3 --set evaluation.completion=even_odd";
  done(0, noisy("changed", other));
  EXPECT_TRUE(event("changed", "best_forgotten"));
  auto values = hold_out("changed");
  values.erase(values.begin(), values.upper_bound(end_));
  ASSERT_FALSE(values.empty());
  const std::int64_t expected = end_of(values, 1, 3);
  EXPECT_EQ(values.rbegin()->first, expected < 0 ? 150 : expected);
}

TEST_F(Evaluations, RefusesWhatCannotBeJudged) {
  expect_refusal(train(0, lda() + " --set evaluation.patience=2 --set data.validation.fraction=0"),
                 ExitCode::bad_config, {"evaluation.patience is 2", "no validation data"});
  expect_refusal(train(0, lda() + " --set evaluation.patience=2 --set evaluation.every_epochs=0"),
                 ExitCode::bad_config, {"evaluation.patience is 2", "evaluation.every_steps"});
  expect_refusal(train(0, lda() + " --set evaluation.patience=-1"), ExitCode::bad_config,
                 {"evaluation.patience"});
  expect_refusal(train(0, lda() + " --set evaluation.completion=halves"), ExitCode::bad_config,
                 {"evaluation.completion", "halves", "even_odd"});
}

TEST_F(Evaluations, RefusesAReferenceCorpusThatDoesNotGoWithTheData) {
  const auto with = [&](const std::string& file) {
    return train(0, lda() + " --set evaluation.coherence_data=" + (folder_ / file));
  };
  lda();
  write_documents(folder_ / "fewer.h5", 100, 78, 1);
  expect_refusal(
      with("fewer.h5"), ExitCode::bad_data,
      {"evaluation.coherence_data", "fewer.h5", "lacks 2 of the 80 words", "documents.h5", "word78"});
  expect_refusal(with("absent.h5"), ExitCode::missing_input, {"evaluation.coherence_data", "absent.h5"});
  write_images(folder_ / "images.h5", 10, 6, 1);
  expect_refusal(with("images.h5"), ExitCode::bad_data, {"evaluation.coherence_data", "images.h5"});
  expect_refusal(train(0, vae() + " --set evaluation.coherence_data=" + (folder_ / "documents.h5")),
                 ExitCode::bad_config, {"evaluation.coherence_data", "vae"});
}

// The same documents with the words in reverse order and one that the model does not know.
TEST_F(Evaluations, JudgeCoherenceOnAReferenceCorpusByName) {
  lda();
  const data::DataFile file(folder_ / "documents.h5");
  const auto rows = std::get<CountRows>(file.read(0, 400));
  std::vector<std::string> vocabulary = file.facts().vocabulary;
  std::reverse(vocabulary.begin(), vocabulary.end());
  vocabulary.push_back("unknown");
  CountRows turned;
  for (std::size_t d = 0; d < 400; ++d) {
    for (std::int64_t i = rows.starts[d + 1]; i-- > rows.starts[d];) {
      turned.words.push_back(79 - rows.words[static_cast<std::size_t>(i)]);
      turned.counts.push_back(rows.counts[static_cast<std::size_t>(i)]);
    }
    turned.words.push_back(80);
    turned.counts.push_back(3);
    turned.starts.push_back(std::ssize(turned.words));
  }
  data::write_counts(folder_ / "turned.h5", turned, vocabulary, {});

  const auto coherence = [&](int ranks, const std::string& name, const std::string& reference) {
    std::string arguments = lda() + " --set train.steps=60 --set run.name=" + name;
    if (!reference.empty()) arguments += " --set evaluation.coherence_data=" + (folder_ / reference);
    done(ranks, arguments);
    const auto lines = metrics(name);
    const auto last = std::find_if(lines.rbegin(), lines.rend(),
                                   [](const auto& line) { return line["kind"] == "evaluation"; });
    return std::pair{(*last)["npmi"].get<double>(), (*last)["u_mass"].get<double>()};
  };
  const auto own = coherence(0, "own", "");
  const auto all = coherence(0, "all", "documents.h5");
  EXPECT_NE(own, all);  // the held-out documents are in it too
  EXPECT_EQ(coherence(0, "by-name", "turned.h5"), all);
  const auto of_two = coherence(2, "of-two", "turned.h5");
  EXPECT_NEAR(of_two.first, all.first, 1e-12);
  EXPECT_NEAR(of_two.second, all.second, 1e-12);
}

}  // namespace
}  // namespace svi::test
