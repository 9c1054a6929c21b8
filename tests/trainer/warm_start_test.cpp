// Runs that begin with the parameters of another.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "svi/data/data_file.hpp"
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

// Steps so short that float64 and float32 round them away: what is saved after one is what it began with.
const std::string no_way =
    " --set train.steps=1 --set optimizer.delay=1e60 --set optimizer.forgetting_rate=1";

class WarmStart : public RunFolder {
 protected:
  // Checkpoints of steps 2, 4 and 6 and best.h5 in the run `source`.
  void SetUp() override { train_to(0, lda() + " --set run.name=source"); }

  void train_to(int ranks, const std::string& arguments) const {
    const Outcome outcome = train(ranks, arguments);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
  }

  std::string from(const std::string& source, const std::string& name) const {
    return fmt::format(" --set run.warm_start={} --set run.name={}", source, name);
  }
  std::string source() const { return checkpoint_path(6, "source"); }

  std::string hash(std::int64_t step, const std::string& run) const {
    return checkpoint::parameters_hash(checkpoint(step, run).state);
  }

  // Nothing of a run is left behind that a later start would go on with.
  void expect_no_start(const std::string& arguments, ExitCode code,
                       const std::vector<std::string>& parts) const {
    SCOPED_TRACE(arguments);
    expect_refusal(train(0, arguments), code, parts);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "next/metrics.jsonl"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "next/config.yaml"));
  }

  // Documents of ten words each.
  std::string corpus(const std::string& name, const std::vector<std::string>& vocabulary) const {
    std::mt19937_64 random(5);
    CountRows rows;
    for (int d = 0; d < 100; ++d) {
      std::vector<std::int32_t> words(vocabulary.size());
      for (std::size_t v = 0; v < words.size(); ++v) words[v] = static_cast<std::int32_t>(v);
      std::ranges::shuffle(words, random);
      words.resize(10);
      std::ranges::sort(words);
      for (const std::int32_t word : words) {
        rows.words.push_back(word);
        rows.counts.push_back(static_cast<float>(1 + random() % 3));
      }
      rows.starts.push_back(std::ssize(rows.words));
    }
    data::write_counts(folder_ / name, rows, vocabulary, {});
    return folder_ / name;
  }

  std::vector<std::string> words_of_source() const { return checkpoint(6, "source").facts.vocabulary; }
};

const float* row(const checkpoint::Checkpoint& checkpoint, std::int64_t word) {
  const Tensor& lambda = checkpoint.state.parameters["lambda"];
  return lambda.const_data_ptr<float>() + word * lambda.size(1);
}

TEST_F(WarmStart, BeginsWithTheCheckpointsParametersToTheBit) {
  train_to(0, lda() + no_way + " --set run.name=cold");
  EXPECT_NE(hash(1, "cold"), hash(6, "source"));
  for (const int ranks : {0, 1, 2}) {
    const std::string name = fmt::format("on-{}", ranks);
    train_to(ranks, lda() + no_way + from(source(), name));
    EXPECT_EQ(hash(1, name), hash(6, "source"));
    EXPECT_EQ(metrics(name).front()["event"], "warm_started");
    EXPECT_EQ(checkpoint(1, name).facts.epoch, checkpoint(1, "cold").facts.epoch);
  }
}

// Were only rank 0 to begin there, the others would add the statistics of random topics.
TEST_F(WarmStart, EveryRankBeginsThere) {
  const auto train_on = [&](int ranks) {
    const std::string name = fmt::format("on-{}", ranks);
    train_to(ranks, lda() + " --set train.steps=12 --set run.seed=7" + from(source(), name));
    return checkpoint(12, name).state.parameters;
  };
  const ParameterSet alone = train_on(0);
  train_to(0, lda() + " --set train.steps=12 --set run.seed=7 --set run.name=cold");
  EXPECT_GT(differences(checkpoint(12, "cold").state.parameters, alone).front().second, 0.1);
  for (const int ranks : {2, 3}) {
    const double difference = differences(train_on(ranks), alone).front().second;
    EXPECT_LE(difference, 1e-3) << ranks;
  }
}

// Every tenth word is gone, five are new, and the others stand in another order.
TEST_F(WarmStart, WordsKeepTheirRows) {
  std::vector<std::string> words;
  for (const std::string& word : words_of_source()) {
    if (word.back() != '0') words.push_back(word);
  }
  for (const char* word : {"new-a", "new-b", "new-c", "new-d", "new-e"}) words.emplace_back(word);
  std::mt19937_64 random(3);
  std::ranges::shuffle(words, random);
  const std::string data = " --set data.train=" + corpus("other.h5", words);
  const Outcome outcome = train(0, lda() + no_way + data + from(source(), "next"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
  EXPECT_TRUE(outcome.says("(step 6): 72 of its 80 words, 5 of the data's are new")) << outcome.all();
  train_to(2, lda() + no_way + data + from(source(), "on-2"));
  EXPECT_EQ(hash(1, "on-2"), hash(1, "next"));

  const checkpoint::Checkpoint old = checkpoint(6, "source");
  const checkpoint::Checkpoint next = checkpoint(1, "next");
  const LazyScale& before = old.state.parameters.lazy("lambda");
  const LazyScale& after = next.state.parameters.lazy("lambda");
  EXPECT_EQ(after.scale, before.scale);
  EXPECT_EQ(after.offset, before.offset);
  EXPECT_NEAR(after.offset, 0.01, 1e-15);  // η: what a row of zeros stands for
  std::vector<double> sums(4, 0.0);
  for (std::size_t v = 0; v < words.size(); ++v) {
    const float* found = row(next, static_cast<std::int64_t>(v));
    const auto place = std::ranges::find(old.facts.vocabulary, words[v]);
    const std::vector<float> zeros(4, 0.0F);
    const float* expected =
        place == old.facts.vocabulary.end() ? zeros.data() : row(old, place - old.facts.vocabulary.begin());
    EXPECT_EQ(std::memcmp(found, expected, 4 * sizeof(float)), 0) << words[v];
    for (std::size_t k = 0; k < 4; ++k) sums[k] += static_cast<double>(found[k]);
  }
  for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(after.sums[k], sums[k], 1e-9 * sums[k]);
}

TEST_F(WarmStart, IsForgottenOnceTheRunHasCheckpoints) {
  const std::string warm = lda() + " --set optimizer.delay=20";
  train_to(0, warm + " --set train.steps=8" + from(folder_ / "source", "at-once"));
  train_to(0, warm + " --set train.steps=4" + from(folder_ / "source", "next"));
  std::filesystem::remove_all(folder_ / "source");
  const Outcome resumed = train(0, warm + " --set train.steps=8" + from(folder_ / "source", "next"));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.all();
  EXPECT_TRUE(resumed.says("resumed at step 4 of 8")) << resumed.all();
  EXPECT_EQ(hash(8, "next"), hash(8, "at-once"));
}

TEST_F(WarmStart, OfARunDirectoryTakesTheBestThatVerifies) {
  std::string bytes = bytes_of(folder_ / "source/checkpoints/best.h5");
  bytes[bytes.size() / 2] ^= 16;
  put_bytes(folder_ / "source/checkpoints/best.h5", bytes);
  const Outcome outcome = train(0, lda() + no_way + from(folder_ / "source", "next"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
  EXPECT_TRUE(outcome.says("rejected " + (folder_ / "source/checkpoints/best.h5"))) << outcome.all();
  EXPECT_EQ(hash(1, "next"), hash(6, "source"));
}

TEST_F(WarmStart, ConvertsToThePrecisionOfTheRun) {
  train_to(0, lda() + no_way + from(source(), "next") + " --set device.precision=float64");
  const Tensor found = checkpoint(1, "next").state.parameters["lambda"];
  const Tensor expected = checkpoint(6, "source").state.parameters["lambda"];
  for (std::int64_t i = 0; i < expected.numel(); ++i)
    ASSERT_EQ(found.const_data_ptr<double>()[i], static_cast<double>(expected.const_data_ptr<float>()[i]));
}

// α may be learned from now on, or no longer.
TEST_F(WarmStart, LeavesLearnedPriorsThatOneOfThemLacks) {
  const std::string learned = " --set model.alpha=learned";
  const Outcome outcome = train(0, lda() + no_way + learned + from(source(), "learned"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
  EXPECT_TRUE(outcome.says("alpha, mean_log_theta anew")) << outcome.all();
  const checkpoint::Checkpoint next = checkpoint(1, "learned");
  EXPECT_EQ(std::memcmp(row(next, 0), row(checkpoint(6, "source"), 0), 320 * sizeof(float)), 0);

  train_to(0, lda() + learned + " --set run.name=trained");
  train_to(0, lda() + no_way + learned + from(checkpoint_path(6, "trained"), "again"));
  EXPECT_EQ(checkpoint(1, "again").state.parameters["alpha"].const_data_ptr<float>()[0],
            checkpoint(6, "trained").state.parameters["alpha"].const_data_ptr<float>()[0]);
  train_to(0, lda() + no_way + from(checkpoint_path(6, "trained"), "fixed"));
  EXPECT_EQ(
      std::memcmp(row(checkpoint(1, "fixed"), 0), row(checkpoint(6, "trained"), 0), 320 * sizeof(float)), 0);
}

TEST_F(WarmStart, OfANetworkOfTheSameShapes) {
  train_to(0, vae() + " --set run.name=network");
  const std::string network = checkpoint_path(6, "network");
  train_to(2, vae() + " --set train.steps=1 --set optimizer.learning_rate=1e-30" + from(network, "next"));
  for (const auto& [tensor, difference] :
       differences(checkpoint(1, "next").state.parameters, checkpoint(6, "network").state.parameters))
    EXPECT_EQ(difference, 0) << tensor;
  std::filesystem::remove_all(folder_ / "next");
  expect_no_start(vae() + " --set model.latent=5" + from(network, "next"), ExitCode::bad_config,
                  {"run.warm_start", network, "model.latent: was 3, is 5"});
  expect_no_start(vae() + " --set 'model.encoder=[20, 20]'" + from(network, "next"), ExitCode::bad_config,
                  {"model.encoder: was [20], is [20, 20]"});
  write_images(folder_ / "small.h5", 100, 5, 1);
  expect_no_start(vae() + " --set data.train=" + (folder_ / "small.h5") + from(network, "next"),
                  ExitCode::bad_config, {network, "rows had the shape [6, 6]"});
}

TEST_F(WarmStart, RefusesAModelOfOtherTopics) {
  expect_no_start(lda() + " --set model.topics=5" + from(source(), "next"), ExitCode::bad_config,
                  {"run.warm_start: " + source(), "model.topics: was 4, is 5"});
  expect_no_start(lda() + " --dry-run --set model.topics=5" + from(source(), "next"), ExitCode::bad_config,
                  {"model.topics: was 4, is 5"});
  expect_no_start(vae() + from(source(), "next"), ExitCode::bad_config, {"is of model.type lda, not vae"});
}

TEST_F(WarmStart, RefusesWordsThatCannotBeMatched) {
  const auto start_on = [&](const std::string& data) {
    return lda() + " --set data.train=" + data + from(source(), "next");
  };
  expect_no_start(start_on(corpus("strange.h5", {"αα", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"})),
                  ExitCode::bad_data, {"none of the 11 words", "strange.h5", "\"αα\"", "\"word0\""});
  std::vector<std::string> numbers;
  for (int v = 1; v <= 90; ++v) numbers.push_back(std::to_string(v));
  expect_no_start(start_on(corpus("numbers.h5", numbers)), ExitCode::bad_data,
                  {"knows 80 words", "numbers.h5 has 90", "only numbers them", "vocabulary"});
  std::vector<std::string> twice = words_of_source();
  twice.emplace_back("word7");
  expect_no_start(start_on(corpus("twice.h5", twice)), ExitCode::bad_data,
                  {"twice.h5", "words 7 and 80", "word7"});
}

TEST_F(WarmStart, RefusesWhatIsNoCheckpoint) {
  expect_no_start(lda() + from(folder_ / "nowhere", "next"), ExitCode::missing_input,
                  {"run.warm_start: ", folder_ / "nowhere", "does not exist"});
  expect_no_start(lda() + from(folder_ / "documents.h5", "next"), ExitCode::bad_data, {"documents.h5"});
  std::string bytes = bytes_of(source());
  bytes[bytes.size() / 2] ^= 16;
  put_bytes(folder_ / "damaged.h5", bytes);
  expect_no_start(lda() + from(folder_ / "damaged.h5", "next"), ExitCode::bad_data, {"damaged.h5"});
  expect_refusal(train(2, lda() + from(folder_ / "damaged.h5", "next")), ExitCode::bad_data, {"damaged.h5"});
}

// ρ_0 = delay^−forgetting_rate.
TEST_F(WarmStart, RefusesAFirstStepThatForgetsIt) {
  for (const char* option : {"optimizer.delay=1", "optimizer.forgetting_rate=0"}) {
    expect_no_start(lda() + " --set " + option + from(source(), "next"), ExitCode::bad_config,
                    {"rho = 1", source(), "optimizer.delay above 1"});
  }
}

TEST_F(WarmStart, IsWhatARunWithNewWordsIsPointedTo) {
  std::vector<std::string> words = words_of_source();
  words.erase(words.begin() + 3);
  words.emplace_back("new-a");
  words.emplace_back("new-b");
  const std::string on_more = lda() + " --set data.train=" + corpus("grown.h5", words);
  const std::string before = hash(6, "source");
  for (const char* mode : {"", " --dry-run", " --set train.steps=9"}) {
    expect_refusal(train(0, on_more + " --set run.name=source" + mode), ExitCode::bad_config,
                   {"holds a run on 80 words", "grown.h5 has 81", "new 2 (\"new-a\", …)",
                    "gone 1 (\"word3\")", "run.warm_start: " + (folder_ / "source")});
  }
  EXPECT_EQ(hash(6, "source"), before);
  words = words_of_source();
  std::swap(words[0], words[1]);
  expect_refusal(train(2, lda() + " --set run.name=source --set data.train=" + corpus("swapped.h5", words)),
                 ExitCode::bad_config, {"new none, gone none, but in another order"});
  train_to(0, on_more + from(folder_ / "source", "next"));
}

}  // namespace
}  // namespace svi::test
