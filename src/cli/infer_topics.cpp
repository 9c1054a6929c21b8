#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/cli/arguments.hpp"
#include "svi/cli/infer.hpp"
#include "svi/cli/table.hpp"
#include "svi/models/top_words.hpp"
#include "svi/trainer/trained_model.hpp"

namespace svi::cli {

namespace {

struct Topic {
  std::int64_t number = 0;
  double share = 0;
  std::vector<std::string> words;
  std::vector<double> probabilities;
};

// Topics by their share of the training data, the largest first.
std::vector<Topic> top_topics(const trainer::TrainedModel& trained, std::int64_t words) {
  const auto* model = dynamic_cast<const TopicModel*>(trained.model.get());
  if (model == nullptr) {
    throw Error(ExitCode::usage, "{} holds a model of type {}, which has no topics{}", trained.path,
                trained.checkpoint.facts.model,
                dynamic_cast<const ImageGenerator*>(trained.model.get()) != nullptr
                    ? "; for its pictures use svi-infer sample"
                    : "");
  }
  const Tensor topics = model->topics(trained.parameters());
  const Tensor shares = model->topic_shares(trained.parameters());
  const auto top = top_words(topics, words);
  std::vector<Topic> list;
  for (std::int64_t k = 0; k < topics.size(0); ++k) {
    Topic topic{.number = k, .share = shares[k].item<double>()};
    for (const std::int64_t word : top[static_cast<std::size_t>(k)]) {
      topic.words.push_back(trained.checkpoint.facts.vocabulary[static_cast<std::size_t>(word)]);
      topic.probabilities.push_back(topics[k][word].item<double>());
    }
    list.push_back(std::move(topic));
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Topic& a, const Topic& b) { return a.share > b.share; });
  return list;
}

void print_table(const std::vector<Topic>& topics) {
  std::vector<std::vector<std::string>> rows;
  for (const Topic& topic : topics) {
    rows.push_back({fmt::format("{}", topic.number), fmt::format("{:.2f} %", 100 * topic.share),
                    fmt::format("{}", fmt::join(topic.words, " "))});
  }
  fmt::print("{}", table_text({{"topic", Align::right}, {"share", Align::right}, {"likeliest words"}}, rows));
}

void print_json(const std::vector<Topic>& topics) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Topic& topic : topics) {
    json.push_back({{"topic", topic.number},
                    {"share", topic.share},
                    {"words", topic.words},
                    {"probabilities", topic.probabilities}});
  }
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace

void declare_topics(CLI::App& app) {
  CLI::App* command = app.add_subcommand("topics", "the likeliest words of each topic");
  const auto path = std::make_shared<std::string>();
  const auto words = std::make_shared<std::int64_t>(10);
  const auto most = std::make_shared<std::int64_t>(0);
  const auto is_json = std::make_shared<bool>(false);
  command->add_option("checkpoint", *path, "a checkpoint, or a run directory")->required();
  within(command->add_option("--words", *words, "words of each topic"), Range::between(1, 1000))
      ->capture_default_str();
  within(command->add_option("--topics", *most, "how many topics, the most common first; 0: all"),
         Range::at_least(0))
      ->capture_default_str();
  command->add_flag("--json", *is_json, "as a JSON array");
  command->footer("Example:\n  svi-infer topics runs/lda-debian --words 8 --topics 20");
  command->callback([path, words, most, is_json] {
    std::vector<Topic> topics = top_topics(load_and_tell(*path), *words);
    if (*most > 0 && *most < std::ssize(topics)) topics.resize(static_cast<std::size_t>(*most));
    *is_json ? print_json(topics) : print_table(topics);
  });
}

}  // namespace svi::cli
