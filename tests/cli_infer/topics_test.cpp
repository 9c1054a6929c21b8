#include <algorithm>
#include <cmath>
#include <map>

#include "cli_infer/topic_run.hpp"

namespace svi::test {
namespace {

using nlohmann::json;

class TopicsProgram : public TopicRun {
 protected:
  // β by topic and word, from the list of all words by probability.
  std::vector<std::map<std::string, double>> probabilities() const {
    std::vector<std::map<std::string, double>> beta(4);
    for (const json& topic : json_of("topics --json --words 80 " + run_)) {
      for (std::size_t i = 0; i < 80; ++i)
        beta[topic["topic"].get<std::size_t>()][topic["words"][i]] = topic["probabilities"][i];
    }
    return beta;
  }
  std::vector<double> shares() const {
    std::vector<double> shares(4);
    for (const json& topic : json_of("topics --json " + run_))
      shares[topic["topic"].get<std::size_t>()] = topic["share"];
    return shares;
  }
};

TEST_F(TopicsProgram, RankWordsByLiftAndFrex) {
  train_topics();
  const auto beta = probabilities();
  const auto share = shares();
  for (const json& topic : json_of("topics --json --by lift --words 5 " + run_)) {
    const auto k = topic["topic"].get<std::size_t>();
    double last = INFINITY;
    for (std::size_t i = 0; i < 5; ++i) {
      const std::string word = topic["words"][i];
      double overall = 0;
      for (std::size_t j = 0; j < 4; ++j) overall += share[j] * beta[j].at(word);
      EXPECT_NEAR(topic["lift"][i].get<double>(), beta[k].at(word) / overall, 1e-9);
      EXPECT_NEAR(topic["probabilities"][i].get<double>(), beta[k].at(word), 1e-12);
      EXPECT_LE(topic["lift"][i].get<double>(), last);
      last = topic["lift"][i];
    }
  }
  for (const json& topic : json_of("topics --json --by frex --words 80 " + run_)) {
    const auto k = topic["topic"].get<std::size_t>();
    const auto exclusivity = [&](const std::string& word) {
      return beta[k].at(word) / (beta[0].at(word) + beta[1].at(word) + beta[2].at(word) + beta[3].at(word));
    };
    for (std::size_t i = 0; i < 80; i += 7) {
      const std::string word = topic["words"][i];
      double as_frequent = 0;
      double as_exclusive = 0;
      for (const auto& [other, probability] : beta[k]) {
        as_frequent += probability <= beta[k].at(word);
        as_exclusive += exclusivity(other) <= exclusivity(word) * (1 + 1e-12);
      }
      EXPECT_NEAR(topic["frex"][i].get<double>(), 2 / (80 / as_frequent + 80 / as_exclusive), 1e-9) << word;
    }
  }
  expect_told(infer("topics --by beauty " + run_), ExitCode::usage, {"beauty", "frex"});
}

TEST_F(TopicsProgram, AMarkdownTable) {
  lda();
  write_documents(documents_, 400, 80, 1, "a|b*");
  train_topics();
  const std::string table = done("topics --markdown --words 2 --topics 3 " + run_).output;
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 5) << table;
  EXPECT_TRUE(table.starts_with("| topic | share | likeliest words |\n| ---: | ---: | --- |\n| ")) << table;
  EXPECT_NE(table.find(" % | a\\|b\\*"), std::string::npos) << table;
  expect_told(infer("topics --markdown --json " + run_), ExitCode::usage, {"--markdown", "--json"});
}

TEST_F(TopicsProgram, HelpWithTheCommandAskedFor) {
  for (const std::string command : {"topics", "transform", "similar", "export"}) {
    const std::string help = done(command + " --help").output;
    for (const std::string other : {"topics", "transform", "similar", "export"})
      EXPECT_EQ(help.find("svi-infer " + other + " runs") != help.npos, other == command) << help;
  }
}

TEST_F(TopicsProgram, SimilarTopics) {
  train_topics();
  const auto beta = probabilities();
  const json found = json_of("similar --json --topic 2 " + run_);
  ASSERT_EQ(found.size(), 3U);
  double last = 0;
  for (const json& other : found) {
    double squares = 0;
    for (const auto& [word, probability] : beta[2])
      squares +=
          std::pow(std::sqrt(probability) - std::sqrt(beta[other["topic"].get<std::size_t>()].at(word)), 2);
    EXPECT_NEAR(other["distance"].get<double>(), std::sqrt(squares / 2), 1e-6);
    EXPECT_NE(other["topic"], 2);
    EXPECT_GE(other["distance"].get<double>(), last);
    last = other["distance"];
  }
  EXPECT_TRUE(done("similar --topic 2 --count 1 " + run_).says(found[0]["words"].get<std::string>()));
  expect_told(infer("similar --topic 4 " + run_), ExitCode::usage, {"--topic is 4", "0 to 3"});
  expect_told(infer("similar " + run_), ExitCode::usage, {"--topic", "--document", "--word"});
}

TEST_F(TopicsProgram, SimilarWordsAreOfTheSameTopic) {
  train_topics();
  for (const json& other : json_of("similar --json --word word7 --count 15 " + run_)) {
    EXPECT_LT(std::stoi(other["word"].get<std::string>().substr(4)), 20) << other;
    EXPECT_NE(other["word"], "word7");
  }
  expect_told(infer("similar --word mot " + run_), ExitCode::usage, {"\"mot\" is none of the 80 words"});
}

TEST_F(TopicsProgram, SimilarDocuments) {
  train_topics();
  const std::string theta_path = folder_ / "theta.tsv";
  done("transform " + run_ + " " + documents_ + " --output " + theta_path);
  std::istringstream lines(bytes_of(theta_path));
  std::string line;
  std::getline(lines, line);
  std::vector<std::vector<double>> theta;
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    theta.emplace_back(4);
    double id = 0;
    cells >> id;
    for (double& share : theta.back()) cells >> share;
  }
  ASSERT_EQ(theta.size(), 400U);
  std::vector<std::pair<double, int>> expected;
  for (int d = 0; d < 400; ++d) {
    double squares = 0;
    for (std::size_t k = 0; k < 4; ++k)
      squares += std::pow(std::sqrt(theta[static_cast<std::size_t>(d)][k]) - std::sqrt(theta[11][k]), 2);
    if (d != 11) expected.emplace_back(std::sqrt(squares / 2), d);
  }
  std::sort(expected.begin(), expected.end());
  const json found = json_of("similar --json --document 11 --count 6 " + run_);
  ASSERT_EQ(found.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(found[i]["distance"].get<double>(), expected[i].first, 1e-6);
    const auto& own = theta[static_cast<std::size_t>(std::stoi(found[i]["document"].get<std::string>()))];
    EXPECT_EQ(found[i]["likeliest_topic"], std::max_element(own.begin(), own.end()) - own.begin());
  }
  expect_told(infer("similar --document 400 " + run_), ExitCode::usage,
              {"\"400\" is none of the 400 documents"});
}

}  // namespace
}  // namespace svi::test
