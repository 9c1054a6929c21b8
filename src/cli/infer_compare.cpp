#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/cli/infer.hpp"
#include "svi/cli/table.hpp"
#include "svi/data/match_words.hpp"
#include "svi/models/topic_match.hpp"
#include "svi/models/topic_words.hpp"

namespace svi::cli {

namespace {

using Words = std::vector<std::vector<std::string>>;

struct Comparison {
  std::string first;
  std::string second;
  std::int64_t shared_words = 0;
  std::vector<TopicMatch> matches;
  std::vector<std::int64_t> only_first;  // topics without a counterpart
  std::vector<std::int64_t> only_second;
  Words first_words;
  Words second_words;

  double mean_cosine() const {
    double sum = 0;
    for (const TopicMatch& match : matches) sum += match.cosine;
    return sum / static_cast<double>(matches.size());
  }
  double least_cosine() const { return matches.back().cosine; }
};

Words first_words(const trainer::TrainedModel& trained) {
  Words words;
  for (const TopicWords& topic :
       rank_words(topic_model_of(trained), trained.parameters(), WordOrder::probability, 5)) {
    words.emplace_back();
    for (const std::int64_t word : topic.words)
      words.back().push_back(trained.checkpoint.facts.vocabulary[static_cast<std::size_t>(word)]);
  }
  return words;
}

Comparison compare(const trainer::TrainedModel& first, const trainer::TrainedModel& second) {
  const TopicModel& ours = topic_model_of(first);
  const TopicModel& theirs = topic_model_of(second);
  const std::vector<std::int32_t> numbers =
      data::match_words(second.checkpoint.facts.vocabulary, first.checkpoint.facts.vocabulary, second.path);
  Comparison result{.first = first.path, .second = second.path};
  result.shared_words = std::count_if(numbers.begin(), numbers.end(), [](auto word) { return word >= 0; });
  if (result.shared_words == 0) {
    throw Error(ExitCode::bad_data,
                "{} and {} have no word in common, so their topics cannot be compared; compare models of one "
                "language and way of cutting words",
                first.path, second.path);
  }
  const Tensor cosines = topic_cosines(ours, first.parameters(), theirs, second.parameters(), numbers);
  result.matches = match_topics(cosines);
  const auto without = [&](std::int64_t topics, auto topic_of) {
    std::vector<std::int64_t> list;
    for (std::int64_t k = 0; k < topics; ++k) {
      if (std::none_of(result.matches.begin(), result.matches.end(),
                       [&](const TopicMatch& match) { return topic_of(match) == k; }))
        list.push_back(k);
    }
    return list;
  };
  result.only_first = without(cosines.size(0), [](const TopicMatch& match) { return match.first; });
  result.only_second = without(cosines.size(1), [](const TopicMatch& match) { return match.second; });
  result.first_words = first_words(first);
  result.second_words = first_words(second);
  return result;
}

std::string words_text(const Words& words, std::int64_t topic) {
  return fmt::format("{}", fmt::join(words[static_cast<std::size_t>(topic)], " "));
}

void print_tables(const Comparison& result) {
  std::vector<std::vector<std::string>> rows;
  for (const TopicMatch& match : result.matches) {
    rows.push_back({fmt::format("{:.3f}", match.cosine), fmt::format("{}", match.first),
                    words_text(result.first_words, match.first), fmt::format("{}", match.second),
                    words_text(result.second_words, match.second)});
  }
  fmt::print("{}\n", table_text({{"cosine", Align::right},
                                 {"A", Align::right},
                                 {"likeliest words"},
                                 {"B", Align::right},
                                 {"likeliest words"}},
                                rows));
  std::vector<std::vector<std::string>> facts{{"A", result.first},
                                              {"B", result.second},
                                              {"shared words", fmt::format("{}", result.shared_words)},
                                              {"mean cosine", fmt::format("{:.4f}", result.mean_cosine())},
                                              {"least cosine", fmt::format("{:.4f}", result.least_cosine())}};
  if (!result.only_first.empty())
    facts.push_back({"topics of A alone", fmt::format("{}", fmt::join(result.only_first, ", "))});
  if (!result.only_second.empty())
    facts.push_back({"topics of B alone", fmt::format("{}", fmt::join(result.only_second, ", "))});
  fmt::print("{}", table_text({{""}, {""}}, facts));
}

void print_json(const Comparison& result) {
  nlohmann::ordered_json json{{"a", result.first},
                              {"b", result.second},
                              {"shared_words", result.shared_words},
                              {"mean_cosine", result.mean_cosine()},
                              {"least_cosine", result.least_cosine()},
                              {"matches", nlohmann::ordered_json::array()},
                              {"only_a", result.only_first},
                              {"only_b", result.only_second}};
  for (const TopicMatch& match : result.matches)
    json["matches"].push_back({{"a", match.first}, {"b", match.second}, {"cosine", match.cosine}});
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace

void declare_compare(CLI::App& app) {
  CLI::App* command = app.add_subcommand("compare", "how alike the topics of two models are");
  const auto first = std::make_shared<std::string>();
  const auto second = std::make_shared<std::string>();
  const auto is_json = std::make_shared<bool>(false);
  command->add_option("A", *first, "a checkpoint, or a run directory")->required();
  command->add_option("B", *second, "another")->required();
  command->add_flag("--json", *is_json, "as one JSON object");
  command->footer(
      "Topics are matched one to one so that the cosines of their words' probabilities add up to the most;\n"
      "words are matched by name.\n\n"
      "Examples:\n"
      "  svi-infer compare runs/lda-debian runs/second\n"
      "  svi-infer compare runs/lda-debian/checkpoints/best.h5 runs/second --json");
  command->callback([first, second, is_json] {
    const Comparison result = compare(load_and_tell(*first), load_and_tell(*second));
    *is_json ? print_json(result) : print_tables(result);
  });
}

}  // namespace svi::cli
