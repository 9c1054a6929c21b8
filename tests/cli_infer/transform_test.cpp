#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "cli_infer/topic_run.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/local_rows.hpp"
#include "svi/data/partition.hpp"
#include "svi/io/hdf5.hpp"
#include "svi/trainer/trained_model.hpp"

namespace svi::test {
namespace {

class TransformProgram : public TopicRun {
 protected:
  // Row by row, 4 topics.
  std::vector<float> theta_in(const std::string& path) const {
    return io::Hdf5File::open(path).group("obsm").dataset("X_topics").read<float>();
  }
  std::string to(const std::string& name, const std::string& input) const {
    return "transform " + run_ + " " + input + " --output " + (folder_ / name);
  }
};

// The validation rows of the training file get, to the bit, the θ of the pass that evaluates them.
TEST_F(TransformProgram, GivesTheTopicsOfEvaluation) {
  train_topics();
  done(to("theta.h5ad", documents_));
  const std::vector<float> theta = theta_in(folder_ / "theta.h5ad");
  ASSERT_EQ(theta.size(), 400U * 4);

  trainer::TrainedModel trained = trainer::load_model(run_);
  const auto held_out = data::split_rows(400, 0.1, 1).held_out;
  ASSERT_GT(held_out.size(), 10U);
  const data::LocalRows rows(data::DataFile(documents_), held_out);
  const DocumentTopics expected =
      dynamic_cast<TopicModel&>(*trained.model)
          .document_topics(trained.parameters(), rows.slice(0, rows.size(), 0));
  const auto* values = expected.theta.const_data_ptr<float>();
  for (std::size_t i = 0; i < held_out.size(); ++i) {
    for (std::size_t k = 0; k < 4; ++k)
      EXPECT_EQ(theta[static_cast<std::size_t>(held_out[i]) * 4 + k], values[i * 4 + k]) << held_out[i];
  }
}

// Most tokens of a document are of one block of 20 words, and so of one topic.
TEST_F(TransformProgram, FindsTheTopicOfEachDocument) {
  train_topics();
  done(to("theta.tsv", documents_));
  std::istringstream lines(bytes_of(folder_ / "theta.tsv"));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "id\ttopic_0\ttopic_1\ttopic_2\ttopic_3");
  const auto rows = std::get<CountRows>(data::DataFile(documents_).read(0, 400));
  std::map<std::int32_t, std::map<std::ptrdiff_t, int>> topics_of_block;
  for (std::size_t row = 0; row < 400; ++row) {
    ASSERT_TRUE(std::getline(lines, line));
    std::istringstream cells(line);
    std::size_t id = 0;
    std::vector<double> theta(4);
    cells >> id;
    for (double& share : theta) cells >> share;
    EXPECT_EQ(id, row);
    EXPECT_NEAR(theta[0] + theta[1] + theta[2] + theta[3], 1, 1e-5);
    std::vector<float> tokens(4);
    for (auto i = static_cast<std::size_t>(rows.starts[row]); std::cmp_less(i, rows.starts[row + 1]); ++i)
      tokens[static_cast<std::size_t>(rows.words[i] / 20)] += rows.counts[i];
    if (rows.starts[row] == rows.starts[row + 1]) continue;
    const auto block = std::max_element(tokens.begin(), tokens.end()) - tokens.begin();
    ++topics_of_block[static_cast<std::int32_t>(block)]
                     [std::max_element(theta.begin(), theta.end()) - theta.begin()];
  }
  for (const auto& [block, topics] : topics_of_block) {
    int all = 0;
    int most = 0;
    for (const auto& [topic, count] : topics) {
      all += count;
      most = std::max(most, count);
    }
    EXPECT_GT(most, 0.95 * all) << block;
  }
  EXPECT_EQ(topics_of_block.size(), 4U);
}

TEST_F(TransformProgram, IsTheSameOnAnyNumberOfRanks) {
  train_topics();
  for (const char* ending : {"h5ad", "tsv", "mtx"}) {
    done(to(std::string("alone.") + ending, documents_));
    const std::string alone = bytes_of(folder_ / (std::string("alone.") + ending));
    for (const int ranks : {1, 2, 3}) {
      const Outcome outcome = infer_on(ranks, to(std::string("ranks.") + ending, documents_));
      EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
      EXPECT_TRUE(outcome.says("400 documents × 4 topics")) << outcome.all();
      EXPECT_EQ(outcome.output.find("400 documents"), outcome.output.rfind("400 documents")) << "told twice";
      EXPECT_TRUE(bytes_of(folder_ / (std::string("ranks.") + ending)) == alone) << ranks << ending;
    }
  }
  write_documents(folder_ / "two.h5", 2, 80, 5);  // fewer documents than ranks
  done(to("alone.tsv", folder_ / "two.h5"));
  EXPECT_EQ(infer_on(3, to("ranks.tsv", folder_ / "two.h5")).exit_code, 0);
  EXPECT_EQ(bytes_of(folder_ / "ranks.tsv"), bytes_of(folder_ / "alone.tsv"));
}

// Words go by their names, wherever they stand; what the model has never seen is left out and told.
TEST_F(TransformProgram, MatchesWordsByName) {
  train_topics();
  auto rows = std::get<CountRows>(data::DataFile(documents_).read(0, 400));
  done(to("before.h5ad", documents_));
  std::vector<std::string> names;
  for (int v = 0; v < 100; ++v)
    names.push_back(v % 5 == 0 ? fmt::format("new{}", v) : fmt::format("word{}", 80 - v + v / 5));
  // word w now stands at the place v with 80 − v + v/5 = w; every document gets three tokens of an unknown
  // word
  std::map<std::string, std::int32_t> places;
  for (int v = 0; v < 100; ++v) places.emplace(names[static_cast<std::size_t>(v)], v);
  ASSERT_EQ(places.size(), 100U);
  CountRows moved;
  double known = 0;
  for (std::size_t row = 0; row < 400; ++row) {
    std::map<std::int32_t, float> entries{{5, 3.0F}};
    for (auto i = static_cast<std::size_t>(rows.starts[row]); std::cmp_less(i, rows.starts[row + 1]); ++i) {
      entries[places.at(fmt::format("word{}", rows.words[i]))] = rows.counts[i];
      known += rows.counts[i];
    }
    for (const auto& [word, count] : entries) {
      moved.words.push_back(word);
      moved.counts.push_back(count);
    }
    moved.starts.push_back(std::ssize(moved.words));
  }
  data::write_counts(folder_ / "moved.h5", moved, names, {});
  const nlohmann::json report = json_of(to("after.h5ad", folder_ / "moved.h5") + " --json");
  EXPECT_TRUE(theta_in(folder_ / "after.h5ad") == theta_in(folder_ / "before.h5ad"));
  EXPECT_EQ(report["unknown_words"], 20);
  EXPECT_EQ(report["unknown_tokens"], 1200);
  EXPECT_EQ(report["tokens"], known + 1200);
  EXPECT_EQ(report["documents_without_known_words"], 8);  // every fiftieth is empty
  EXPECT_DOUBLE_EQ(report["unknown_share"].get<double>(), 1200 / (known + 1200));
  EXPECT_TRUE(done(to("after.tsv", folder_ / "moved.h5"))
                  .says(fmt::format("{:.2f} % of the tokens (1,200 of ", 120000 / (known + 1200))));
}

TEST_F(TransformProgram, Refusals) {
  train_topics();
  write_documents(folder_ / "foreign.h5", 20, 80, 3, "mot");
  expect_told(infer(to("a.tsv", folder_ / "foreign.h5")), ExitCode::bad_data,
              {"foreign.h5", "none of its 80 words (\"mot0\"", "\"word0\""});
  expect_told(infer(to("a.csv", documents_)), ExitCode::usage, {"a.csv", "expected .h5ad"});
  expect_told(infer(to("a.tsv", folder_ / "none.h5")), ExitCode::missing_input, {"none.h5"});
  expect_told(infer(to("nowhere/a.tsv", documents_)), ExitCode::cannot_write, {"nowhere"});
  expect_told(infer("transform " + run_ + " " + documents_ + " --output " + documents_), ExitCode::usage,
              {documents_, "is the input"});
  write_images(folder_ / "images.h5", 20, 6, 1);
  expect_told(infer(to("a.tsv", folder_ / "images.h5")), ExitCode::bad_data, {"images.h5"});
  const std::string bytes = bytes_of(documents_);
  put_bytes(folder_ / "damaged.h5", bytes.substr(0, bytes.size() / 2));
  expect_told(infer(to("a.tsv", folder_ / "damaged.h5")), ExitCode::bad_data, {"damaged.h5"});
  expect_told(infer_on(2, to("a.csv", documents_)), ExitCode::usage, {"a.csv", "expected .h5ad"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.tsv"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.csv"));
}

// A word that the model knows stands in the vocabulary, but in no document.
TEST_F(TransformProgram, RefusesWhereNoTokenIsKnown) {
  train_topics();
  data::write_counts(folder_ / "new.h5", {.starts = {0, 1}, .words = {1}, .counts = {4}}, {"word3", "new"},
                     {});
  put_bytes(folder_ / "a.tsv", "older");
  expect_told(infer(to("a.tsv", folder_ / "new.h5")), ExitCode::bad_data, {"new.h5", "none of its 4 tokens"});
  EXPECT_EQ(bytes_of(folder_ / "a.tsv"), "older");
}

TEST_F(TransformProgram, IsForTopicModels) {
  ASSERT_EQ(train(0, vae()).exit_code, 0);
  const std::string images = folder_ / "images.h5";
  expect_told(infer(to("a.tsv", images)), ExitCode::usage, {"vae", "no topics", "svi-infer sample"});
  expect_told(infer("similar --topic 1 " + run_), ExitCode::usage, {"vae", "no topics"});
  expect_told(infer("export --format gensim --output " + (folder_ / "a ") + run_), ExitCode::usage,
              {"no topics"});
}

// Sizes of texts in HDF5's heap, some of which make its library crash: told, whichever command opens the
// file.
TEST_F(TransformProgram, SurvivesDamagedTexts) {
  train_topics();
  const std::string whole = bytes_of(documents_);
  int refused = 0;
  for (std::size_t heap = whole.find("GCOL"); heap != whole.npos; heap = whole.find("GCOL", heap + 1)) {
    for (std::size_t byte = heap + 24; byte < heap + 28; byte += 3) {
      std::string damaged = whole;
      damaged[byte] = static_cast<char>(damaged[byte] ^ 1);
      put_bytes(documents_, damaged);
      for (const std::string& command :
           {"evaluate " + run_, to("a.tsv", documents_), "similar --document 3 " + run_}) {
        const Outcome outcome = infer(command);
        if (outcome.exit_code == 0) continue;
        expect_told(outcome, ExitCode::bad_data, {"documents.h5"});
        ++refused;
      }
    }
  }
  EXPECT_GE(refused, 3);
}

}  // namespace
}  // namespace svi::test
