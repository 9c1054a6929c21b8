#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "cli_infer/topic_run.hpp"
#include "svi/models/model.hpp"
#include "svi/trainer/trained_model.hpp"

namespace svi::test {
namespace {

using nlohmann::json;

class ExportProgram : public TopicRun {
 protected:
  json ldavis() {
    done("export --format ldavis --output " + (folder_ / "v.json ") + run_);
    return json::parse(bytes_of(folder_ / "v.json"));
  }
};

TEST_F(ExportProgram, LdavisHasAllItsTables) {
  train_topics();
  const json data = ldavis();
  std::set<std::string> keys;
  for (const auto& [key, value] : data.items()) keys.insert(key);
  EXPECT_EQ(keys, (std::set<std::string>{"mdsDat", "tinfo", "token.table", "R", "lambda.step", "plot.opts",
                                         "topic.order"}));
  EXPECT_EQ(data["R"], 30);
  EXPECT_EQ(data["lambda.step"], 0.01);
  std::vector<int> order = data["topic.order"];
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
  const std::vector<double> freq = data["mdsDat"]["Freq"];
  EXPECT_TRUE(std::is_sorted(freq.rbegin(), freq.rend()));
  EXPECT_NEAR(freq[0] + freq[1] + freq[2] + freq[3], 100, 1e-9);
  for (const char* table : {"mdsDat", "tinfo", "token.table"}) {
    const std::size_t rows = data[table].begin()->size();
    for (const auto& [name, column] : data[table].items()) EXPECT_EQ(column.size(), rows) << table << name;
  }
  const json& info = data["tinfo"];
  EXPECT_EQ(std::count(info["Category"].begin(), info["Category"].end(), "Default"), 30);
  std::map<std::string, double> spread;  // over topics, each rounded to whole tokens
  for (std::size_t i = 0; i < data["token.table"]["Term"].size(); ++i)
    spread[data["token.table"]["Term"][i]] += data["token.table"]["Freq"][i].get<double>();
  for (const auto& [term, sum] : spread) EXPECT_NEAR(sum, 1, 0.1) << term;
}

// For any λ the thirty most relevant words of a topic are there, with ln β and ln lift.
TEST_F(ExportProgram, LdavisHasTheMostRelevantWords) {
  train_topics();
  const json data = ldavis();
  std::vector<std::map<std::string, double>> beta(4);
  for (const json& topic : json_of("topics --json --words 80 " + run_)) {
    for (std::size_t i = 0; i < 80; ++i)
      beta[topic["topic"].get<std::size_t>()][topic["words"][i]] = topic["probabilities"][i];
  }
  const auto topic_of = [&](std::size_t place) { return data["topic.order"][place].get<std::size_t>() - 1; };
  const auto overall = [&](const std::string& word) {
    double sum = 0;
    for (std::size_t place = 0; place < 4; ++place)
      sum += data["mdsDat"]["Freq"][place].get<double>() / 100 * beta[topic_of(place)].at(word);
    return sum;
  };
  const json& info = data["tinfo"];
  for (std::size_t place = 0; place < 4; ++place) {
    const auto& own = beta[topic_of(place)];
    std::set<std::string> shown;
    for (std::size_t i = 0; i < info["Term"].size(); ++i) {
      if (info["Category"][i] != fmt::format("Topic{}", place + 1)) continue;
      const std::string word = info["Term"][i];
      EXPECT_TRUE(shown.insert(word).second) << word << " stands twice";
      EXPECT_NEAR(info["logprob"][i].get<double>(), std::log(own.at(word)), 6e-5);
      EXPECT_NEAR(info["loglift"][i].get<double>(), std::log(own.at(word) / overall(word)), 6e-5);
    }
    for (const double lambda : {0.0, 0.37, 0.6, 1.0}) {
      std::vector<std::pair<double, std::string>> relevance;
      for (const auto& [word, probability] : own) {
        relevance.emplace_back(
            -lambda * std::log(probability) - (1 - lambda) * std::log(probability / overall(word)), word);
      }
      std::sort(relevance.begin(), relevance.end());
      for (std::size_t i = 0; i < 30; ++i)
        EXPECT_TRUE(shown.contains(relevance[i].second)) << lambda << relevance[i].second;
    }
  }
}

// Of disjoint topics the divergences are all alike, and so is the table of coordinates.
TEST_F(ExportProgram, APageThatNoWordEnds) {
  lda();
  write_documents(documents_, 400, 80, 1, "</script>");
  train_topics();
  done("export --format ldavis --output " + (folder_ / "v.html ") + run_);
  const std::string page = bytes_of(folder_ / "v.html");
  std::size_t ends = 0;
  for (std::size_t at = page.find("</script>"); at != page.npos; at = page.find("</script>", at + 1)) ++ends;
  EXPECT_EQ(ends, 3U);
  EXPECT_NE(page.find("\\u003c/script>7\""), std::string::npos);
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  const std::size_t begin = page.find("new LDAvis(\"#topics\", ");
  ASSERT_NE(begin, page.npos);
  const std::size_t data = page.find('{', begin);
  EXPECT_EQ(json::parse(page.substr(data, page.find(");\n", data) - data)), ldavis());
}

TEST_F(ExportProgram, OtherDocumentsWeighTheTopics) {
  train_topics();
  write_documents(folder_ / "other.h5", 30, 80, 9);
  done("export --format ldavis --data " + (folder_ / "other.h5") + " --output " + (folder_ / "w.json ") +
       run_);
  EXPECT_NE(json::parse(bytes_of(folder_ / "w.json"))["mdsDat"]["Freq"], ldavis()["mdsDat"]["Freq"]);
}

// Shape and values of a float32 .npy.
Tensor read_npy(const std::string& path, std::int64_t rows, std::int64_t columns) {
  const std::string bytes = bytes_of(path);
  const std::size_t start = 10 + static_cast<unsigned char>(bytes[8]);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(start % 64, 0U);
  EXPECT_EQ(bytes[start - 1], '\n');
  EXPECT_NE(
      bytes.find(fmt::format("'descr': '<f4', 'fortran_order': False, 'shape': ({}, {})", rows, columns)),
      std::string::npos);
  Tensor values = at::empty({rows, columns}, at::kFloat);
  EXPECT_EQ(bytes.size() - start, values.nbytes());
  std::memcpy(values.mutable_data_ptr(), bytes.data() + start, values.nbytes());
  return values.to(at::kDouble);
}

TEST_F(ExportProgram, GensimsArraysAreLambda) {
  train_topics();
  const std::string path = folder_ / "lda.gensim";
  done("export --format gensim --output " + path + " " + run_);
  const trainer::TrainedModel trained = trainer::load_model(run_);
  const auto& model = dynamic_cast<const TopicModel&>(*trained.model);
  const Tensor lambda = model.topic_tokens(trained.parameters(), 0, 4);
  const Tensor eta = model.priors(trained.parameters()).words;
  const Tensor statistics = read_npy(path + ".state.sstats.npy", 4, 80);
  EXPECT_LT(((statistics + eta) / lambda - 1).abs().max().item<double>(), 1e-5);
  const Tensor expected = (lambda.digamma() - lambda.sum(1, true).digamma()).exp();
  EXPECT_LT((read_npy(path + ".expElogbeta.npy", 4, 80) - expected).abs().max().item<double>(), 1e-7);
  for (const char* part : {"", ".state", ".id2word"}) {
    const std::string bytes = bytes_of(path + part);
    EXPECT_TRUE(bytes.starts_with("\x80\x02"
                                  "cgensim.") &&
                bytes.ends_with("b."))
        << part;
  }
}

TEST_F(ExportProgram, Refusals) {
  train_topics();
  const std::string rest = " --output " + (folder_ / "a ") + run_;
  expect_told(infer("export --format csv" + rest), ExitCode::usage, {"csv", "ldavis", "gensim"});
  expect_told(infer("export --format ldavis" + rest), ExitCode::usage, {".json", ".html"});
  expect_told(infer("export --format gensim --data " + documents_ + rest), ExitCode::usage, {"--data"});
  expect_told(infer("export --format gensim --output " + (folder_ / "a.gz ") + run_), ExitCode::usage,
              {"a.gz"});
  expect_told(infer("export --format gensim --output " + checkpoint_path(60) + " " + checkpoint_path(60)),
              ExitCode::usage, {"is the input"});
  std::filesystem::remove(documents_);
  expect_told(infer("export --format ldavis --output " + (folder_ / "a.json ") + run_),
              ExitCode::missing_input, {"documents.h5"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.json"));
}

}  // namespace
}  // namespace svi::test
