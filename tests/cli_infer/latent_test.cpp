#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "cli_infer/topic_run.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/local_rows.hpp"
#include "svi/data/partition.hpp"
#include "svi/io/hdf5.hpp"
#include "svi/models/latent_model.hpp"
#include "svi/trainer/evaluator.hpp"
#include "svi/trainer/trained_model.hpp"

namespace svi::test {
namespace {

using nlohmann::json;

class LatentProgram : public TopicRun {
 protected:
  void train_vae() { ASSERT_EQ(train(0, vae() + " --set train.steps=60").exit_code, 0); }

  // The first `last` rows of a file, as evaluations see them.
  static Minibatch rows_of(const std::string& path, std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(last - first));
    std::iota(rows.begin(), rows.end(), first);
    return data::LocalRows(data::DataFile(path), rows).slice(0, last - first, trainer::evaluation_step);
  }
  static std::vector<json> lines_in(const std::string& path) {
    std::istringstream text(bytes_of(path));
    std::vector<json> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
    return lines;
  }

  // Sixty pictures like those of training with label 0, and forty negatives of such with label 1.
  void write_outliers(const std::string& path) const {
    write_images(path, 100, 6, 9);
    DenseRows rows = std::get<DenseRows>(data::DataFile(path).read(0, 100));
    rows.labels = (at::arange(100) >= 60).to(at::kLong);
    rows.features.slice(0, 60, 100).copy_(255 - rows.features.slice(0, 60, 100));
    data::write_dense(path, rows, {6, 6});
  }

  const std::string images_ = folder_ / "images.h5";
};

TEST_F(LatentProgram, EncodesToTheBitOnAnyNumberOfRanks) {
  train_vae();
  write_images(folder_ / "many.h5", 1730, 6, 2);  // four blocks
  for (const char* ending : {"h5ad", "tsv"}) {
    const auto to = [&](const std::string& name) {
      return "encode " + run_ + " " + (folder_ / "many.h5") + " --samples 2 --output " +
             (folder_ / (name + "." + ending));
    };
    EXPECT_TRUE(done(to("alone")).says("1,730 rows × 3 latent dimensions"));
    for (const int ranks : {1, 2, 3}) {
      const Outcome outcome = infer_on(ranks, to("ranks"));
      EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
      EXPECT_EQ(outcome.output.find("1,730"), outcome.output.rfind("1,730")) << "told twice";
      EXPECT_TRUE(bytes_of(folder_ / (std::string("ranks.") + ending)) ==
                  bytes_of(folder_ / (std::string("alone.") + ending)))
          << ranks << ending;
    }
  }
}

TEST_F(LatentProgram, EncodesWhatTheModelEncodes) {
  train_vae();
  const json told =
      json_of("encode --json --samples 2 " + run_ + " " + images_ + " --output " + (folder_ / "z.h5"));
  EXPECT_EQ(told["rows"], 400);
  trainer::TrainedModel trained = trainer::load_model(run_);
  auto& model = dynamic_cast<LatentModel&>(*trained.model);
  const Philox noise(trained.checkpoint.state.seed);
  const Minibatch rows = rows_of(images_, 0, 400);
  const Posterior q = model.encode(trained.parameters(), rows, noise);
  const Tensor draws = posterior_draws(q, rows.ids, 2, noise);
  const io::Hdf5File file = io::Hdf5File::open(folder_ / "z.h5");
  const auto expect_array = [&](const char* name, const Tensor& expected) {
    const io::Hdf5Dataset array = file.group("obsm").dataset(name);
    ASSERT_EQ(array.shape(), (std::vector<std::int64_t>{400, 3}));
    const std::vector<float> values = array.read<float>();
    const Tensor found = at::tensor(values).view({400, 3});
    EXPECT_TRUE(at::equal(found, expected)) << name;
  };
  expect_array("X_vae", q.mean);
  expect_array("X_vae_sd", q.deviation);
  expect_array("X_vae_sample_0", draws.narrow(1, 0, 3));
  expect_array("X_vae_sample_1", draws.narrow(1, 3, 3));
  EXPECT_EQ(file.group("obs").dataset("_index").read_texts()[399], "399");
}

TEST_F(LatentProgram, NllIsTheSameFigureOnAnyNumberOfRanks) {
  train_vae();
  const std::string command = "evaluate --json --nll 300 --rows 90 --data " + images_ + " " + run_;
  const json alone = json_of(command);
  for (const int ranks : {1, 2, 3}) {
    const Outcome outcome = infer_on(ranks, command);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
    const json found = json::parse(outcome.output);
    for (const char* figure : {"nll", "nll_bits_per_dimension", "mutual_information"})
      EXPECT_EQ(found[figure].get<double>(), alone[figure].get<double>()) << ranks << figure;
    EXPECT_NEAR(found["elbo"].get<double>(), alone["elbo"].get<double>(), 1e-5);
    EXPECT_EQ(found["active_units"], alone["active_units"]);
  }
  EXPECT_EQ(alone["rows"], 90);
  EXPECT_LT(alone["nll"].get<double>(), -alone["elbo"].get<double>());
  EXPECT_NEAR(alone["nll_bits_per_dimension"].get<double>(), alone["nll"].get<double>() / 36 / std::log(2),
              1e-9);
  EXPECT_GT(alone["mutual_information"].get<double>(), 0);
  EXPECT_LE(alone["mutual_information"].get<double>(), std::log(90) + 1e-9);

  trainer::TrainedModel trained = trainer::load_model(run_);
  const Tensor evidence = dynamic_cast<LatentModel&>(*trained.model)
                              .log_evidence(trained.parameters(), rows_of(images_, 0, 90), 300,
                                            Philox(trained.checkpoint.state.seed));
  EXPECT_NEAR(-evidence.mean().item<double>(), alone["nll"].get<double>(), 1e-9);
}

// The run's held-out rows are found again: those that training has evaluated.
TEST_F(LatentProgram, EvaluatesTheRunsHeldOutRows) {
  train_vae();
  const json found = json_of("evaluate --json --nll 3 " + run_);
  EXPECT_EQ(found["split"], "validation");
  EXPECT_EQ(found["rows"], data::split_rows(400, 0.1, 1).held_out.size());
  double best = -1e9;
  for (const json& line : metrics()) {
    if (line["kind"] == "evaluation") best = std::max(best, line["elbo"].get<double>());
  }
  EXPECT_NEAR(found["elbo"].get<double>(), best, 1e-5 * std::abs(best));
}

// The share of pairs, of a line from `first_outlier` on and one of the first `others`, in which the former scores
// higher.
double share_of_pairs(const std::vector<json>& lines, std::size_t first_outlier, std::size_t others) {
  double pairs = 0;
  for (std::size_t outlier = first_outlier; outlier < lines.size(); ++outlier) {
    for (std::size_t other = 0; other < others; ++other) {
      const double high = lines[outlier]["score"];
      const double low = lines[other]["score"];
      pairs += high > low ? 1 : high == low ? 0.5 : 0;
    }
  }
  return pairs / static_cast<double>((lines.size() - first_outlier) * others);
}

TEST_F(LatentProgram, ScoresPlantedOutliersHigh) {
  train_vae();
  const std::string data = folder_ / "outliers.h5";
  write_outliers(data);
  for (const std::string by : {"elbo", "reconstruction", "nll"}) {
    const json told = json_of("score --json --by " + by + " " + run_ + " " + data + " --output " +
                              (folder_ / "scores.jsonl"));
    const std::vector<json> lines = lines_in(folder_ / "scores.jsonl");
    ASSERT_EQ(lines.size(), 100U);
    EXPECT_EQ(told["auc"].get<double>(), share_of_pairs(lines, 60, 60)) << by;
    EXPECT_GT(told["auc"].get<double>(), 0.95) << by;
    EXPECT_EQ(told["strangest"][0]["score"].get<double>(), [&] {
      double most = -1e9;
      for (const json& line : lines) most = std::max(most, line["score"].get<double>());
      return most;
    }());
    EXPECT_GT(lines[80]["training_share"].get<double>(), 0.9) << by;
  }
  const json swapped = json_of("score --json --labels-outlier 0 " + run_ + " " + data);
  EXPECT_NEAR(swapped["auc"].get<double>(),
              1 - json_of("score --json " + run_ + " " + data)["auc"].get<double>(), 1e-12);
}

// A row whose label is unknown is neither an outlier nor one of the others.
TEST_F(LatentProgram, ScoresLeaveUnknownLabelsOutOfTheArea) {
  train_vae();
  const std::string path = folder_ / "outliers.h5";
  write_outliers(path);
  DenseRows rows = std::get<DenseRows>(data::DataFile(path).read(0, 100));
  rows.labels.slice(0, 20, 70).fill_(-1);  // forty of the others and ten outliers
  data::write_dense(path, rows, {6, 6});
  const std::string command = "score --json " + run_ + " " + path + " --output " + (folder_ / "scores.jsonl");
  const json told = json_of(command);
  const std::vector<json> lines = lines_in(folder_ / "scores.jsonl");
  ASSERT_EQ(lines.size(), 100U);
  EXPECT_EQ(told["outlier_labels"], std::vector<int>{1});  // as labels are 0 and 1
  EXPECT_EQ(told["auc"].get<double>(), share_of_pairs(lines, 70, 20));
  EXPECT_EQ(json_of(command + " --labels-outlier 1")["auc"].get<double>(), told["auc"].get<double>());
  rows.labels.fill_(-1);
  data::write_dense(path, rows, {6, 6});
  expect_told(infer(command + " --labels-outlier 1"), ExitCode::usage, {"outliers.h5", "no labels"});
}

// The mean score is −ELBO of the evaluation; the shares are counted over the rows that were trained on.
TEST_F(LatentProgram, ScoresGoWithEvaluationAndTraining) {
  train_vae();
  const std::string scores = folder_ / "scores.jsonl";
  const json told = json_of("score --json " + run_ + " " + images_ + " --output " + scores);
  EXPECT_NEAR(told["mean"].get<double>(),
              -json_of("evaluate --json --data " + images_ + " " + run_)["elbo"].get<double>(), 1e-6);
  EXPECT_FALSE(told.contains("auc"));  // five labels, and none named
  const std::vector<json> lines = lines_in(scores);
  const std::vector<std::int64_t> training = data::split_rows(400, 0.1, 1).training;
  EXPECT_EQ(told["training_rows"], training.size());
  for (const std::size_t row : {0U, 57U, 399U}) {
    const auto lower = std::count_if(training.begin(), training.end(), [&](std::int64_t other) {
      return lines[static_cast<std::size_t>(other)]["score"] < lines[row]["score"];
    });
    EXPECT_NEAR(lines[row]["training_share"].get<double>(),
                static_cast<double>(lower) / static_cast<double>(training.size()), 0.01);
  }
  const std::string fewer = "score --json --training-rows 50 " + run_ + " " + images_;
  EXPECT_EQ(json_of(fewer)["training_rows"], 50);
  EXPECT_TRUE(json_of(fewer + " --labels-outlier 2,3").contains("auc"));
}

TEST_F(LatentProgram, ScoresToTheBitOnAnyNumberOfRanks) {
  train_vae();
  write_images(folder_ / "many.h5", 1100, 6, 2);
  for (const std::string by : {"elbo", "nll --samples 3"}) {
    for (const char* ending : {"jsonl", "tsv", "h5ad"}) {
      const std::string output = folder_ / (std::string("scores.") + ending);
      const std::string command =
          "score " + run_ + " " + (folder_ / "many.h5") + " --output " + output + " --by " + by;
      const std::string told = done(command).output;
      const std::string alone = bytes_of(output);
      for (const int ranks : {2, 3}) {
        EXPECT_EQ(infer_on(ranks, command).output, told);
        EXPECT_TRUE(bytes_of(output) == alone) << by << ending << ranks;
      }
    }
  }
}

TEST_F(LatentProgram, DrawsBetweenRowsAndAlongDimensions) {
  train_vae();
  const std::string png = folder_ / "a.png";
  const auto drawn = [&](const std::string& options) {
    const Outcome outcome =
        done("sample --output " + png + " --data " + images_ + " " + run_ + " " + options);
    return std::pair{outcome.output, bytes_of(png)};
  };
  const auto size_of = [](const std::string& bytes, std::size_t at) {
    std::int64_t number = 0;
    for (std::size_t i = at; i < at + 4; ++i) number = 256 * number + static_cast<unsigned char>(bytes[i]);
    return number;
  };
  const auto [told, line] = drawn("--interpolate 0 1 2 3 --steps 5");
  EXPECT_NE(told.find("2 interpolations in " + png), std::string::npos) << told;
  EXPECT_EQ(size_of(line, 16), 7 * 8 + 2);  // five steps between the two pictures
  EXPECT_EQ(size_of(line, 20), 2 * 8 + 2);
  EXPECT_NE(drawn("--interpolate 1 0 2 3 --steps 5").second, line);
  EXPECT_EQ(drawn("--interpolate 0 0").second.empty(), false);
  const std::string along = drawn("--traverse 5 --dimensions 2,0 --range 2 --steps 4").second;
  EXPECT_EQ(size_of(along, 16), 4 * 8 + 2);
  EXPECT_EQ(size_of(along, 20), 2 * 8 + 2);
  EXPECT_EQ(size_of(drawn("--traverse 5").second, 20), 3 * 8 + 2);  // all dimensions
  const std::string plain = drawn("").second;
  EXPECT_EQ(drawn("--temperature 1").second, plain);
  EXPECT_NE(drawn("--temperature 0.5").second, plain);
  const std::string mean = drawn("--temperature 0 --seed 1").second;
  EXPECT_EQ(drawn("--temperature 0 --seed 2").second, mean);
}

}  // namespace
}  // namespace svi::test
