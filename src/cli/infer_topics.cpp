#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "svi/cli/arguments.hpp"
#include "svi/cli/infer.hpp"
#include "svi/cli/table.hpp"
#include "svi/cli/text.hpp"
#include "svi/models/topic_words.hpp"
#include "svi/trainer/trained_model.hpp"

namespace svi::cli {

namespace {

const std::map<std::string, WordOrder> orders{
    {"probability", WordOrder::probability}, {"frex", WordOrder::frex}, {"lift", WordOrder::lift}};

struct TopicsOptions {
  std::string checkpoint;
  std::string by = "probability";
  std::int64_t words = 10;
  std::int64_t most = 0;
  bool is_json = false;
  bool is_markdown = false;
};

struct Topic {
  std::int64_t number = 0;
  double share = 0;
  std::vector<std::string> words;
  TopicWords ranked;
};

// Topics by their share of the training data, the largest first.
std::vector<Topic> top_topics(const trainer::TrainedModel& trained, const TopicsOptions& options) {
  const TopicModel& model = topic_model_of(trained);
  const Tensor shares = model.topic_shares(trained.parameters());
  std::vector<Topic> list;
  for (TopicWords& ranked : rank_words(model, trained.parameters(), orders.at(options.by), options.words)) {
    Topic topic{.number = std::ssize(list), .share = shares[std::ssize(list)].item<double>()};
    for (const std::int64_t word : ranked.words)
      topic.words.push_back(trained.checkpoint.facts.vocabulary[static_cast<std::size_t>(word)]);
    topic.ranked = std::move(ranked);
    list.push_back(std::move(topic));
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Topic& a, const Topic& b) { return a.share > b.share; });
  if (options.most > 0 && options.most < std::ssize(list))
    list.resize(static_cast<std::size_t>(options.most));
  return list;
}

std::string title(const TopicsOptions& options) {
  if (options.by == "probability") return "likeliest words";
  return options.by == "frex" ? "most frequent and exclusive words (FREX)" : "words of the highest lift";
}

std::vector<std::string> cells(const Topic& topic) {
  return {fmt::format("{}", topic.number), fmt::format("{:.2f} %", 100 * topic.share),
          fmt::format("{}", fmt::join(topic.words, " "))};
}

void print_table(const std::vector<Topic>& topics, const TopicsOptions& options) {
  std::vector<std::vector<std::string>> rows;
  for (const Topic& topic : topics) rows.push_back(cells(topic));
  fmt::print("{}", table_text({{"topic", Align::right}, {"share", Align::right}, {title(options)}}, rows));
}

// A cell of Markdown: what would end it or begin markup is escaped.
std::string markdown_cell(const std::string& text) {
  std::string cell;
  for (const char letter : printable(text)) {
    if (std::string_view("\\`*_[]<>|").find(letter) != std::string_view::npos) cell += '\\';
    cell += letter;
  }
  return cell;
}

void print_markdown(const std::vector<Topic>& topics, const TopicsOptions& options) {
  fmt::print("| topic | share | {} |\n| ---: | ---: | --- |\n", title(options));
  for (const Topic& topic : topics) {
    const std::vector<std::string> row = cells(topic);
    fmt::print("| {} | {} | {} |\n", row[0], row[1], markdown_cell(row[2]));
  }
}

void print_json(const std::vector<Topic>& topics, const TopicsOptions& options) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Topic& topic : topics) {
    json.push_back({{"topic", topic.number},
                    {"share", topic.share},
                    {"words", topic.words},
                    {"probabilities", topic.ranked.probabilities}});
    if (options.by != "probability") json.back()[options.by] = topic.ranked.scores;
  }
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace

void declare_topics(CLI::App& app) {
  CLI::App* command = app.add_subcommand("topics", "the words that tell of each topic");
  const auto options = std::make_shared<TopicsOptions>();
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command
      ->add_option(
          "--by", options->by,
          "probability: likeliest words; frex: frequent and exclusive ones; lift: likelier than overall")
      ->check(CLI::IsMember(orders))
      ->capture_default_str();
  within(command->add_option("--words", options->words, "words of each topic"), Range::between(1, 1000))
      ->capture_default_str();
  within(command->add_option("--topics", options->most, "how many topics, the most common first; 0: all"),
         Range::at_least(0))
      ->capture_default_str();
  const auto json = command->add_flag("--json", options->is_json, "as a JSON array");
  command->add_flag("--markdown", options->is_markdown, "as a Markdown table")->excludes(json);
  command->footer(
      "Examples:\n"
      "  svi-infer topics runs/lda-debian --words 8 --topics 20\n"
      "  svi-infer topics runs/lda-debian --by frex --markdown");
  command->callback([options] {
    const std::vector<Topic> topics = top_topics(load_and_tell(options->checkpoint), *options);
    if (options->is_json) return print_json(topics, *options);
    options->is_markdown ? print_markdown(topics, *options) : print_table(topics, *options);
  });
}

}  // namespace svi::cli
