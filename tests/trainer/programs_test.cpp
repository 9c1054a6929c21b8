// What svi-train and svi-infer show and write: every configuration in configs/ on generated data.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

using nlohmann::json;

bool takes_counts(const std::string& config) {
  const std::string text = bytes_of(config);
  return text.find("type: lda") != std::string::npos || text.find("negative_binomial") != std::string::npos;
}

class Configs : public RunFolder {
 protected:
  // The arguments that start this configuration on generated data for three steps.
  std::string on_generated_data(const std::string& config) {
    const std::string data = folder_ / "data.h5";
    const std::string test = folder_ / "test.h5";
    takes_counts(config) ? write_documents(data, 300, 200, 1) : write_images(data, 300, 28, 1);
    std::string arguments = fmt::format("{} --set data.train={} --set run.directory={} --set train.steps=3",
                                        config, data, folder_.path().string());
    if (bytes_of(config).find("test:") != std::string::npos) {
      takes_counts(config) ? write_documents(test, 60, 200, 2) : write_images(test, 60, 28, 2);
      arguments += " --set data.test=" + test;
    }
    return arguments;
  }

  void expect_plan(const std::string& arguments) {
    const Outcome plan = train(0, arguments + " --dry-run");
    EXPECT_EQ(plan.exit_code, 0) << plan.all();
    for (const char* part :
         {"ranks", "parameters", "all-reduce per step", "checkpoint", "memory per rank", "iB"}) {
      EXPECT_TRUE(plan.says(part)) << part << "\n" << plan.all();
    }
  }

  void expect_job_script(const std::string& arguments) {
    const Outcome script = train(0, arguments + " --print-sbatch --tasks 8");
    EXPECT_EQ(script.exit_code, 0) << script.all();
    EXPECT_NE(script.output.find("#SBATCH --ntasks=8\n"), std::string::npos) << script.all();
    EXPECT_NE(script.output.find("train.steps=3"), std::string::npos) << script.all();
    put_bytes(folder_ / "job.sh", script.output);
    const Outcome check = run("", "bash -n " + (folder_ / "job.sh"));
    EXPECT_EQ(check.exit_code, 0) << check.all();
  }
};

TEST_F(Configs, EachRuns) {
  int configs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SVI_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".yaml") continue;
    SCOPED_TRACE(entry.path());
    ++configs;
    const std::string arguments = on_generated_data(entry.path());
    const std::string run = entry.path().stem();  // by run.name
    expect_plan(arguments);
    expect_job_script(arguments);
    EXPECT_FALSE(std::filesystem::exists(folder_ / run));
    const Outcome outcome = train(0, arguments);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
    EXPECT_TRUE(outcome.says("done at step 3")) << outcome.all();
    EXPECT_EQ(checkpoint(3, run).state.step, 3);
    for (const char* file : {"config.yaml", "metrics.jsonl", "train.log"}) {
      EXPECT_GT(std::filesystem::file_size(folder_ / (run + "/" + file)), 0U) << file;
    }
    // The configuration as resolved is a configuration of the same run.
    const Outcome again = train(0, folder_ / (run + "/config.yaml"));
    EXPECT_EQ(again.exit_code, 0) << again.all();
    EXPECT_TRUE(again.says("resumed at step 3 of 3")) << again.all();
  }
  EXPECT_GE(configs, 3);
}

TEST_F(Configs, ThePlanWithoutARun) {
  const Outcome plan = train(2, lda() + " --dry-run");
  EXPECT_EQ(plan.exit_code, 0) << plan.all();
  EXPECT_TRUE(plan.says("2 (MPI)")) << plan.all();
  EXPECT_TRUE(plan.says("320 (1.25 KiB)")) << plan.all();  // λ: 4 topics of 80 words
  EXPECT_TRUE(plan.says("6 of 40 rows")) << plan.all();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
  expect_refusal(train(0, lda() + " --dry-run --set data.train=nowhere.h5"), ExitCode::missing_input,
                 {"nowhere.h5"});
}

class Programs : public RunFolder {
 protected:
  Outcome done(const std::string& arguments) const {
    const Outcome outcome = infer(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << arguments << "\n" << outcome.all();
    return outcome;
  }

  // svi-infer's refusals begin with its own name.
  void expect_infer_refusal(const std::string& arguments, ExitCode code,
                            const std::vector<std::string>& parts) const {
    const Outcome outcome = infer(arguments);
    EXPECT_EQ(outcome.exit_code, static_cast<int>(code)) << outcome.all();
    for (const std::string& part : parts)
      EXPECT_NE(outcome.errors.find(part), std::string::npos) << outcome.all();
  }

  // A PNG of this many pixels, by its signature and IHDR.
  void expect_png(const std::string& path, unsigned width, unsigned height) const {
    const std::string bytes = bytes_of(path);
    ASSERT_GT(bytes.size(), 33U) << path;
    EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n");
    EXPECT_EQ(bytes.substr(12, 4), "IHDR");
    const auto number = [&](std::size_t at) {
      unsigned value = 0;
      for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
      return value;
    };
    EXPECT_EQ(number(16), width);
    EXPECT_EQ(number(20), height);
  }

  const std::string run_ = folder_ / "run";
};

TEST_F(Programs, InferUsesATopicModel) {
  ASSERT_EQ(train(2, lda() + " --set train.steps=60").exit_code, 0);
  const json info = json::parse(done("info --json " + checkpoint_path(60)).output);
  EXPECT_EQ(info["model"], "lda");
  EXPECT_EQ(info["step"], 60);
  EXPECT_EQ(info["ranks_at_save"], 2);
  EXPECT_EQ(info["parameters"]["lambda"], json({80, 4}));
  EXPECT_EQ(info["parameters_hash"], checkpoint::parameters_hash(checkpoint(60).state));

  // The four topics of the data are word0 … word19, word20 … word39, and so on.
  const json topics = json::parse(done("topics --json --words 8 " + checkpoint_path(60)).output);
  ASSERT_EQ(topics.size(), 4U);
  std::set<int> found;
  for (const json& topic : topics) {
    ASSERT_EQ(topic["words"].size(), 8U);
    std::set<int> parts;
    for (const std::string word : topic["words"]) {
      ASSERT_EQ(word.substr(0, 4), "word");
      ASSERT_LT(std::stoi(word.substr(4)), 80);
      parts.insert(std::stoi(word.substr(4)) / 20);
    }
    EXPECT_EQ(parts.size(), 1U) << topic;
    found.merge(parts);
    EXPECT_NEAR(topic["share"].get<double>(), 0.25, 0.15);
  }
  EXPECT_EQ(found.size(), 4U);
  EXPECT_TRUE(done("topics " + checkpoint_path(60)).says(topics[0]["words"][0].get<std::string>()));
  for (const char* command : {"sample", "reconstruct"}) {
    expect_infer_refusal(command + (" --output a.png " + run_), ExitCode::usage,
                         {"lda", "pictures", "svi-infer topics"});
  }
  expect_infer_refusal("topics --topics -1 " + run_, ExitCode::usage,
                       {"--topics: found -1, expected at least 0;"});
  write_documents(folder_ / "other.h5", 60, 79, 2);
  expect_infer_refusal("evaluate --data " + (folder_ / "other.h5 ") + run_, ExitCode::bad_data,
                       {"--data", "other.h5", "[79]", "[80]"});
}

// Words of a file that steer a terminal are shown; JSON keeps them.
TEST_F(Programs, InferWritesOutControlCharacters) {
  const std::string hostile = "\x1b]0;title\x07";
  const std::string config = lda();
  write_documents(folder_ / "documents.h5", 400, 80, 1, hostile);
  ASSERT_EQ(train(0, config).exit_code, 0);
  const Outcome table = done("topics " + run_);
  EXPECT_EQ(table.output.find('\x1b'), std::string::npos) << table.output;
  EXPECT_NE(table.output.find(" \\x1B]0;title\\x07"), std::string::npos) << table.output;
  for (const std::string word : json::parse(done("topics --json " + run_).output)[0]["words"])
    EXPECT_TRUE(word.starts_with(hostile)) << word;

  write_documents(folder_ / "other.h5", 60, 80, 2);
  const Outcome refusal = infer("evaluate --data " + (folder_ / "other.h5 ") + run_);
  EXPECT_EQ(refusal.exit_code, 65) << refusal.all();
  EXPECT_EQ(refusal.errors.find('\x1b'), std::string::npos) << refusal.errors;
  for (const char* part : {"word 0 of", "\"word0\"", "\"\\x1B]0;title\\x070\""})
    EXPECT_NE(refusal.errors.find(part), std::string::npos) << part << refusal.errors;
}

TEST_F(Programs, InferHelpsWithTheCommandAskedFor) {
  EXPECT_TRUE(done("--help").says("svi-infer evaluate runs"));
  for (const std::string command : {"info", "evaluate", "topics", "sample", "reconstruct"}) {
    const std::string help = done(command + " --help").output;
    EXPECT_NE(help.find("svi-infer " + command + " runs"), std::string::npos) << help;
    for (const std::string other : {"info", "evaluate", "topics", "sample", "reconstruct"})
      EXPECT_EQ(help.find("svi-infer " + other) != std::string::npos, other == command) << help;
  }
}

// What svi-infer computes alone is what the run computed on two ranks.
TEST_F(Programs, InferEvaluatesAsTheRunDid) {
  for (const std::string& config : {lda(), vae()}) {
    SCOPED_TRACE(config);
    std::filesystem::remove_all(run_);
    takes_counts(config) ? write_documents(folder_ / "test.h5", 60, 80, 2)
                         : write_images(folder_ / "test.h5", 60, 6, 2);
    ASSERT_EQ(train(2, config + " --set train.steps=40 --set data.test=" + (folder_ / "test.h5")).exit_code,
              0);
    std::istringstream lines(done("evaluate --json " + checkpoint_path(40)).output);
    std::vector<json> found;
    for (std::string line; std::getline(lines, line);) found.push_back(json::parse(line));
    ASSERT_EQ(found.size(), 2U);
    int compared = 0;
    for (const json& line : metrics()) {
      if (line["kind"] != "evaluation" || line["step"] != 40) continue;
      ++compared;
      const json& same = found[line["split"] == "test"];
      EXPECT_EQ(same["split"], line["split"]);
      EXPECT_NEAR(same["elbo"].get<double>(), line["elbo"].get<double>(),
                  1e-5 * std::abs(line["elbo"].get<double>()));
    }
    EXPECT_EQ(compared, 2);
    const json alone =
        json::parse(done("evaluate --json --data " + (folder_ / "test.h5 ") + checkpoint_path(40)).output);
    EXPECT_NEAR(alone["elbo"].get<double>(), found[1]["elbo"].get<double>(), 1e-6);
    const std::string tables = done("evaluate " + run_).output;
    EXPECT_NE(tables.find("\n\nsplit "), std::string::npos) << tables;
    EXPECT_NE(tables.find(" " + (folder_ / "test.h5\n")), std::string::npos) << tables;
  }
  expect_infer_refusal("evaluate --data " + (folder_ / "documents.h5 ") + run_, ExitCode::bad_data,
                       {"documents.h5"});
}

TEST_F(Programs, InferDrawsPictures) {
  ASSERT_EQ(train(0, vae() + " --set train.steps=40").exit_code, 0);
  const std::string png = folder_ / "a.png";
  done("sample --count 9 --output " + png + " " + run_);
  expect_png(png, 3 * 8 + 2, 3 * 8 + 2);  // 6 pixels and a border of 2
  const std::string first = bytes_of(png);
  done("sample --count 9 --seed 2 --output " + png + " " + run_);
  EXPECT_NE(bytes_of(png), first);
  done("sample --count 9 --output " + png + " " + run_);
  EXPECT_EQ(bytes_of(png), first);
  const Outcome pairs =
      done("reconstruct --count 20 --data " + (folder_ / "images.h5") + " --output " + png + " " + run_);
  EXPECT_TRUE(pairs.says("20 pairs in " + png)) << pairs.all();
  expect_png(png, 16 * 8 + 2, 4 * 8 + 2);
  expect_infer_refusal("reconstruct --output a.png " + run_, ExitCode::usage, {"--data"});
  expect_infer_refusal("topics " + run_, ExitCode::usage, {"vae", "topics", "svi-infer sample"});
  for (const std::string command : {"sample", "reconstruct"}) {
    expect_infer_refusal(command + " --output '' " + run_, ExitCode::usage, {"--output is empty"});
    for (const std::string name : {"a.h5", "a.jpg", "a"}) {
      expect_infer_refusal(command + " --output " + (folder_ / (name + " ")) + run_, ExitCode::usage,
                           {name, "expected .png"});
      EXPECT_FALSE(std::filesystem::exists(folder_ / name));
    }
  }
  expect_infer_refusal("sample --output nowhere/a.png " + run_, ExitCode::cannot_write,
                       {"no folder nowhere"});
  const std::string newest = checkpoint_path(40);
  const std::string bytes = bytes_of(newest);
  expect_infer_refusal("sample --output " + newest + " " + newest, ExitCode::usage, {newest, "is the input"});
  EXPECT_EQ(bytes_of(newest), bytes);
  write_images(folder_ / "other.h5", 20, 7, 1);
  for (const std::string& command : {"reconstruct --output " + png, std::string("evaluate")}) {
    expect_infer_refusal(command + " --data " + (folder_ / "other.h5 ") + run_, ExitCode::bad_data,
                         {"--data", "other.h5", "[7, 7]", "[6, 6]"});
  }
  expect_infer_refusal("sample --output /proc/a.png " + run_, ExitCode::cannot_write, {"/proc/a.png"});
}

// A run directory means its best checkpoint, of the evaluation with the highest figure, else its newest.
TEST_F(Programs, InferTakesTheBestOfARun) {
  ASSERT_EQ(train(0, vae() + " --set optimizer.learning_rate=0.05 --set train.steps=90").exit_code, 0);
  json best;
  for (const json& line : metrics()) {
    if (line["kind"] == "evaluation" && (best.is_null() || line["elbo"] > best["elbo"])) best = line;
  }
  EXPECT_EQ(json::parse(done("info --json " + run_).output)["step"], best["step"]);
  put_bytes(folder_ / "run/checkpoints/best.h5", "damaged");
  const Outcome newest = done("info --json " + run_);
  EXPECT_EQ(json::parse(newest.output)["step"], 90);
  EXPECT_NE(newest.errors.find("best.h5"), std::string::npos) << newest.all();
}

TEST_F(Programs, InferRefusesWhatIsNoCheckpoint) {
  lda();
  expect_infer_refusal("info " + run_, ExitCode::missing_input, {run_, "does not exist"});
  expect_infer_refusal("info " + folder_.path().string(), ExitCode::missing_input, {"holds no checkpoint"});
  expect_infer_refusal("info " + lda(), ExitCode::bad_data, {"lda.yaml", "not a checkpoint"});
  expect_infer_refusal("info " + (folder_ / "documents.h5"), ExitCode::bad_data, {"documents.h5"});
}

class Metrics : public RunFolder {
 protected:
  static void expect_keys(const json& line, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) EXPECT_TRUE(line.contains(key)) << key << " is missing in " << line;
  }

  // The lines of a run of 25 steps, 9 an epoch, on two ranks, after what holds for every line was checked.
  std::vector<json> lines_of(const std::string& config) {
    const std::string test = folder_ / "test.h5";
    takes_counts(config) ? write_documents(test, 60, 80, 2) : write_images(test, 60, 6, 2);
    const Outcome outcome = train(2, config + " --set train.steps=25 --set data.test=" + test);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
    double seconds = 0;
    std::int64_t step = 0;
    for (const json& line : metrics()) {
      expect_keys(line, {"kind", "step", "epoch", "seconds"});
      EXPECT_TRUE(line["step"].is_number_integer());
      EXPECT_GE(line["step"].get<std::int64_t>(), step);
      EXPECT_GE(line["seconds"].get<double>(), seconds);
      EXPECT_NEAR(line["epoch"].get<double>(), line["step"].get<double>() / 9, 1e-9) << line;
      step = line["step"];
      seconds = line["seconds"];
    }
    return metrics();
  }

  // "train 25, validation 3, test 1": each epoch and the end are evaluated.
  static std::map<std::string, std::vector<json>> by_kind(const std::vector<json>& lines) {
    std::map<std::string, std::vector<json>> kinds;
    for (const json& line : lines) {
      const std::string kind = line["kind"] == "evaluation" ? line["split"] : line["kind"];
      kinds[kind].push_back(line);
    }
    EXPECT_EQ(kinds["train"].size(), 25U);
    EXPECT_EQ(kinds["validation"].size(), 3U);
    EXPECT_EQ(kinds["test"].size(), 1U);
    EXPECT_EQ(kinds["event"].size(), 13U);  // checkpoints of the even steps and the last
    return kinds;
  }
};

TEST_F(Metrics, OfATopicModel) {
  auto kinds = by_kind(lines_of(lda()));
  for (const json& line : kinds["train"]) {
    expect_keys(line, {"elbo", "samples_per_second", "communication_fraction", "rho"});
    EXPECT_NEAR(line["rho"].get<double>(), std::pow(9 + line["step"].get<double>(), -0.7), 1e-12);
    // Two ranks wait for each other at every step.
    EXPECT_GT(line["communication_fraction"].get<double>(), 0);
    EXPECT_LT(line["communication_fraction"].get<double>(), 1);
  }
  for (const char* split : {"validation", "test"}) {
    for (const json& line : kinds[split]) {
      expect_keys(line, {"elbo", "npmi", "topic_diversity"});
      EXPECT_NEAR(line["perplexity"].get<double>(), std::exp(-line["log_likelihood_per_word"].get<double>()),
                  1e-6);
    }
  }
}

TEST_F(Metrics, OfAVae) {
  auto kinds = by_kind(lines_of(vae()));
  for (const json& line : kinds["train"]) {
    expect_keys(line, {"samples_per_second", "communication_fraction"});
    EXPECT_EQ(line["learning_rate"], 0.01);
    EXPECT_NEAR(line["elbo"].get<double>(), line["reconstruction"].get<double>() - line["kl"].get<double>(),
                1e-6);
  }
  for (const char* split : {"validation", "test"}) {
    for (const json& line : kinds[split]) {
      expect_keys(line, {"elbo", "reconstruction", "active_units"});
      ASSERT_EQ(line["kl_per_dimension"].size(), 3U);
      double sum = 0;
      for (const double kl : line["kl_per_dimension"]) sum += kl;
      EXPECT_NEAR(sum, line["kl"].get<double>(), 1e-4 * (1 + sum));
    }
  }
}

}  // namespace
}  // namespace svi::test
