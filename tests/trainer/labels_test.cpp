// A model of labels by the real programs: on any number of ranks, stopped or not, and what it refuses.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "svi/data/data_file.hpp"
#include "svi/data/partition.hpp"
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

constexpr const char* config = R"(
data: {{train: {0}/images.h5, test: {0}/test.h5, validation: {{fraction: 0.1}}, shards: 8, labels: 20}}
model: {{type: m2, classes: 5, latent: 2, encoder: [16], classifier: [16], decoder: [16]}}
optimizer: {{type: adam, learning_rate: 0.01}}
train: {{batch: 40, labelled_batch: 8, steps: 30}}
checkpoint: {{every_steps: 10}}
run: {{directory: {0}, name: run, log_every_steps: 10}}
)";

class Labels : public RunFolder {
 protected:
  void SetUp() override {
    write_images(folder_ / "images.h5", 400, 6, 1);
    write_images(folder_ / "test.h5", 100, 6, 2);
    put_bytes(path_, fmt::format(config, folder_.path().string()));
  }
  Outcome run_of(int ranks, const std::string& name, const std::string& more = "") {
    return train(ranks, fmt::format("{} --run-dir {} {}", path_, folder_ / name, more));
  }
  void expect_refused(const std::string& settings, ExitCode code, const std::vector<std::string>& parts) {
    SCOPED_TRACE(settings);
    expect_refusal(run_of(0, "refused", settings), code, parts);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused/metrics.jsonl"));
  }
  double last_test_accuracy(const std::string& name) const {
    double accuracy = -1;
    for (const auto& line : metrics(name)) {
      if (line["kind"] == "evaluation" && line["split"] == "test") accuracy = line["accuracy"];
    }
    return accuracy;
  }

  const std::string path_ = folder_ / "m2.yaml";
};

// Differences are the order of summation in float32, as for other models.
TEST_F(Labels, TrainTheSameModelOnAnyNumberOfRanks) {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    const Outcome outcome = run_of(ranks, fmt::format("{}-ranks", ranks));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
    const auto found = checkpoint(30, fmt::format("{}-ranks", ranks)).state;
    const auto expected = checkpoint(30, "1-ranks").state;
    for (const auto& [tensor, difference] : differences(found.parameters, expected.parameters))
      EXPECT_LE(difference, 1e-3) << tensor << " on " << ranks << " ranks";
  }
}

TEST_F(Labels, AResumedRunIsTheSameToTheBit) {
  ASSERT_EQ(run_of(0, "whole").exit_code, 0);
  ASSERT_EQ(run_of(0, "parts", "--set train.steps=13").exit_code, 0);
  const Outcome rest = run_of(0, "parts");
  EXPECT_EQ(rest.exit_code, 0) << rest.all();
  EXPECT_TRUE(rest.says("resumed at step 13 of 30")) << rest.all();
  EXPECT_EQ(checkpoint::parameters_hash(checkpoint(30, "parts").state),
            checkpoint::parameters_hash(checkpoint(30, "whole").state));
  const Outcome other = run_of(0, "whole", "--set data.labels=30");
  expect_refusal(other, ExitCode::bad_config, {"data.labels: was 20, is 30"});
}

// Five blobs in noise are told apart by four labels of each; guessing would be right once in five. A wrong
// build would have to guess 80 of 100 right, which has a probability below 1e-30.
TEST_F(Labels, FewLabelsTellTheClasses) {
  const Outcome outcome = run_of(0, "run", "--set train.steps=300");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
  EXPECT_TRUE(outcome.says("of 20 of them")) << outcome.all();
  EXPECT_GT(last_test_accuracy("run"), 0.8);
  const Outcome told = infer(fmt::format("evaluate {} --json", folder_ / "run"));
  EXPECT_EQ(told.exit_code, 0) << told.all();
  EXPECT_TRUE(told.says("\"accuracy\"")) << told.all();
  EXPECT_TRUE(told.says("\"error\"")) << told.all();

  const Outcome predicted = infer(fmt::format("predict {} {} --output {}", folder_ / "run",
                                              folder_ / "test.h5", folder_ / "classes.tsv"));
  ASSERT_EQ(predicted.exit_code, 0) << predicted.all();
  std::ifstream table(folder_ / "classes.tsv");
  std::string line;
  std::getline(table, line);
  EXPECT_EQ(line, "id\tclass\tq_0\tq_1\tq_2\tq_3\tq_4");
  const auto labels = data::DataFile(folder_ / "test.h5").read_labels();
  double right = 0;
  for (const std::int64_t label : labels) {
    double id = 0;
    double chosen = 0;
    double sum = 0;
    table >> id >> chosen;
    for (int c = 0; c < 5; ++c) {
      double q = 0;
      table >> q;
      sum += q;
    }
    EXPECT_NEAR(sum, 1, 1e-4);
    right += static_cast<std::int64_t>(chosen) == label;
  }
  EXPECT_GT(right, 80);

  const Outcome drawn =
      infer(fmt::format("sample {} --label 1,4 --count 3 --output {}", folder_ / "run", folder_ / "a.png"));
  EXPECT_EQ(drawn.exit_code, 0) << drawn.all();
  EXPECT_TRUE(drawn.says("3 draws of the classes 1, 4")) << drawn.all();
  const Outcome wrong =
      infer(fmt::format("sample {} --label 5 --output {}", folder_ / "run", folder_ / "b.png"));
  EXPECT_EQ(wrong.exit_code, static_cast<int>(ExitCode::usage)) << wrong.all();
  EXPECT_TRUE(wrong.says("--label is 5")) << wrong.all();
}

// Who reads labels holds them against the classes: evaluate tells which is wrong, predict never looks.
TEST_F(Labels, OfClassesThatTheModelDoesNotKnow) {
  ASSERT_EQ(run_of(0, "run").exit_code, 0);
  DenseRows rows = std::get<DenseRows>(data::DataFile(folder_ / "test.h5").read(0, 100));
  rows.labels[7] = 12;
  data::write_dense(folder_ / "other.h5", rows, {6, 6});
  const auto expect_told = [](const Outcome& outcome, const std::string& file) {
    EXPECT_EQ(outcome.exit_code, static_cast<int>(ExitCode::bad_data)) << outcome.all();
    EXPECT_TRUE(outcome.says(file + ": row 7 has the label 12, expected 0 to 4")) << outcome.all();
  };
  expect_told(infer(fmt::format("evaluate {} --data {}", folder_ / "run", folder_ / "other.h5")),
              folder_ / "other.h5");
  const Outcome predicted = infer(fmt::format("predict {} {} --output {}", folder_ / "run",
                                              folder_ / "other.h5", folder_ / "classes.tsv"));
  EXPECT_EQ(predicted.exit_code, 0) << predicted.all();
  std::filesystem::rename(folder_ / "other.h5", folder_ / "test.h5");  // of the run itself, changed since
  expect_told(infer(fmt::format("evaluate {}", folder_ / "run")), folder_ / "test.h5");
}

// A file that knows only some labels itself is one of both strata, without data.labels.
TEST_F(Labels, AFileMayKnowSomeLabelsOnly) {
  const data::DataFile file(folder_ / "images.h5");
  DenseRows rows = std::get<DenseRows>(file.read(0, 400));
  for (std::int64_t row = 40; row < 400; ++row) rows.labels[row] = -1;
  data::write_dense(folder_ / "some.h5", rows, {6, 6});
  const Outcome outcome =
      run_of(0, "run",
             fmt::format("--set data.train={} --set data.labels=0 --set data.validation.fraction=0",
                         folder_ / "some.h5"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
  EXPECT_TRUE(outcome.says("of 40 of them")) << outcome.all();
}

// Without a label to meet no checkpoint would ever be the best.
TEST_F(Labels, ValidationRowsNeedSome) {
  DenseRows rows = std::get<DenseRows>(data::DataFile(folder_ / "images.h5").read(0, 400));
  const auto held_out = data::split_rows(400, 0.1, 1).held_out;
  for (const std::int64_t row : held_out) rows.labels[row] = -1;
  data::write_dense(folder_ / "part.h5", rows, {6, 6});
  rows.labels.fill_(-1);
  data::write_dense(folder_ / "none.h5", rows, {6, 6});
  const std::string count = fmt::format("the {} validation rows", held_out.size());
  expect_refused(fmt::format("--set data.train={}", folder_ / "part.h5"), ExitCode::bad_data,
                 {"data.validation.fraction", "part.h5", count});
  const std::string file =
      fmt::format("--set data.validation.fraction=0 --set data.validation={}", folder_ / "none.h5");
  expect_refused(file, ExitCode::bad_data, {"data.validation", "none.h5", "the 400 validation rows"});
  expect_refusal(run_of(2, "refused", file), ExitCode::bad_data, {"none.h5", "give some of them labels"});
}

TEST_F(Labels, WhatCannotBeIsRefused) {
  expect_refused("--set data.labels=361", ExitCode::bad_config, {"data.labels is 361"});
  expect_refused("--set data.labels=4", ExitCode::bad_config, {"data.labels is 4", "5 classes"});
  expect_refused("--set model.classes=4", ExitCode::bad_data, {"has the label 4", "model.classes is 4"});
  expect_refused("--set data.shuffle=windowed", ExitCode::bad_config, {"data.shuffle: windowed"});
  expect_refused("--set \"data.memory_limit=1 KiB\"", ExitCode::bad_config,
                 {"data.memory_limit", "do not stream"});
  expect_refused("--set model.likelihood=poisson", ExitCode::bad_config, {"model.likelihood is poisson"});
  expect_refused("--set objective.warmup_epochs=50", ExitCode::bad_config, {"objective.warmup_epochs"});
  const data::DataFile file(folder_ / "images.h5");
  DenseRows rows = std::get<DenseRows>(file.read(0, 400));
  rows.labels = at::Tensor();
  data::write_dense(folder_ / "bare.h5", rows, {6, 6});
  for (const char* key : {"data.train", "data.test"}) {
    expect_refused(fmt::format("--set {}={}", key, folder_ / "bare.h5"), ExitCode::bad_data,
                   {key, "bare.h5 has no labels"});
  }
  expect_refusal(train(0, vae() + " --set data.labels=10"), ExitCode::bad_config,
                 {"data.labels is 10", "vae learns nothing from labels"});
  expect_refusal(train(0, vae() + " --set train.labelled_batch=10"), ExitCode::bad_config,
                 {"train.labelled_batch is 10", "vae learns nothing from labels"});
}

}  // namespace
}  // namespace svi::test
