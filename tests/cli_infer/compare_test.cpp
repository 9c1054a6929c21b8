// How alike the topics of two runs are.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "cli_infer/topic_run.hpp"

namespace svi::test {
namespace {

class Compare : public TopicRun {
 protected:
  void SetUp() override { train_topics(); }

  nlohmann::json with(const std::string& other) const {
    return json_of("compare " + run_ + " " + (folder_ / other) + " --json");
  }

  // E[β] of each topic by word, from what `topics --json` says.
  std::vector<std::map<std::string, double>> topics_of(const std::string& run) const {
    std::vector<std::map<std::string, double>> topics;
    nlohmann::json list = json_of("topics " + run + " --words 1000 --json");
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a["topic"] < b["topic"]; });
    for (const auto& topic : list) {
      topics.emplace_back();
      for (std::size_t i = 0; i < topic["words"].size(); ++i)
        topics.back()[topic["words"][i]] = topic["probabilities"][i];
    }
    return topics;
  }
};

double cosine(const std::map<std::string, double>& a, const std::map<std::string, double>& b) {
  double product = 0, of_a = 0, of_b = 0;
  for (const auto& [word, value] : a) {
    of_a += value * value;
    if (b.contains(word)) product += value * b.at(word);
  }
  for (const auto& [word, value] : b) of_b += value * value;
  return product / std::sqrt(of_a * of_b);
}

TEST_F(Compare, AModelIsLikeItself) {
  const nlohmann::json json = with("run");
  ASSERT_EQ(json["matches"].size(), 4U);
  for (const auto& match : json["matches"]) {
    EXPECT_EQ(match["a"], match["b"]);
    EXPECT_NEAR(match["cosine"], 1, 1e-12);
  }
  EXPECT_NEAR(json["mean_cosine"], 1, 1e-12);
  EXPECT_EQ(json["shared_words"], 80);
}

// Another seed orders the topics otherwise, and here there is one topic more and other words besides.
TEST_F(Compare, MatchesTopicsOfAnotherRunByName) {
  write_documents(folder_ / "fewer.h5", 400, 76, 1);  // word76 … word79 are not in it
  ASSERT_EQ(train(0, lda() +
                         " --set train.steps=60 --set run.name=other --set run.seed=9 --set model.topics=5 "
                         "--set data.train=" +
                         (folder_ / "fewer.h5"))
                .exit_code,
            0);
  const nlohmann::json json = with("other");
  const auto ours = topics_of(run_);
  const auto theirs = topics_of(folder_ / "other");
  EXPECT_EQ(json["shared_words"], 76);
  ASSERT_EQ(json["matches"].size(), 4U);
  std::set<std::int64_t> matched;
  double sum = 0;
  double least = 1;
  for (const auto& match : json["matches"]) {
    const auto a = match["a"].get<std::size_t>();
    const auto b = match["b"].get<std::size_t>();
    EXPECT_NEAR(match["cosine"], cosine(ours[a], theirs[b]), 1e-9);
    matched.insert(match["b"].get<std::int64_t>());
    sum += match["cosine"].get<double>();
    least = std::min(least, match["cosine"].get<double>());
  }
  EXPECT_EQ(matched.size(), 4U);
  EXPECT_NEAR(json["mean_cosine"], sum / 4, 1e-12);
  EXPECT_EQ(json["least_cosine"], least);
  EXPECT_TRUE(json["only_a"].empty());
  ASSERT_EQ(json["only_b"].size(), 1U);
  EXPECT_FALSE(matched.contains(json["only_b"][0].get<std::int64_t>()));

  // No other choice of four of their five topics is better.
  std::vector<std::size_t> order{0, 1, 2, 3, 4};
  double best = 0;
  do {
    double together = 0;
    for (std::size_t a = 0; a < 4; ++a) together += cosine(ours[a], theirs[order[a]]);
    best = std::max(best, together);
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_NEAR(sum, best, 1e-9);

  const nlohmann::json turned = json_of("compare " + (folder_ / "other") + " " + run_ + " --json");
  EXPECT_NEAR(turned["mean_cosine"], json["mean_cosine"], 1e-12);
  EXPECT_EQ(turned["only_a"], json["only_b"]);
}

TEST_F(Compare, ShowsATable) {
  const std::string text = done("compare " + run_ + " " + run_).output;
  for (const char* part : {"cosine", "1.000", "mean cosine", "shared words  80"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST_F(Compare, RefusesWhatCannotBeCompared) {
  write_documents(folder_ / "foreign.h5", 400, 80, 1, "mot");
  ASSERT_EQ(
      train(0, lda() + " --set run.name=foreign --set data.train=" + (folder_ / "foreign.h5")).exit_code, 0);
  expect_told(infer("compare " + run_ + " " + (folder_ / "foreign")), ExitCode::bad_data,
              {run_, folder_ / "foreign", "no word in common"});
  ASSERT_EQ(train(0, vae() + " --set run.name=pictures").exit_code, 0);
  expect_told(infer("compare " + run_ + " " + (folder_ / "pictures")), ExitCode::usage,
              {folder_ / "pictures", "has no topics"});
  expect_told(infer("compare " + run_ + " " + (folder_ / "absent")), ExitCode::missing_input,
              {folder_ / "absent"});
}

}  // namespace
}  // namespace svi::test
