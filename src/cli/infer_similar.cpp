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
#include "svi/cli/open_data.hpp"
#include "svi/cli/table.hpp"
#include "svi/models/topic_map.hpp"
#include "svi/models/topic_words.hpp"
#include "topic_documents.hpp"

namespace svi::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t rows_at_once = 4096;

struct SimilarOptions {
  std::string checkpoint;
  std::string document;
  std::string word;
  std::int64_t topic = -1;
  std::string data;
  std::int64_t count = 10;
  bool is_json = false;
};

struct Neighbour {
  std::int64_t number = 0;
  double distance = 0;
};

// The nearest, without the one itself.
std::vector<Neighbour> nearest(const std::vector<double>& distances, std::int64_t self, std::int64_t count) {
  std::vector<Neighbour> list;
  for (std::size_t i = 0; i < distances.size(); ++i) {
    if (std::cmp_not_equal(i, self)) list.push_back({static_cast<std::int64_t>(i), distances[i]});
  }
  const auto kept = list.begin() + std::min(count, std::ssize(list));
  std::partial_sort(list.begin(), kept, list.end(), [](const Neighbour& a, const Neighbour& b) {
    return std::pair(a.distance, a.number) < std::pair(b.distance, b.number);
  });
  list.erase(kept, list.end());
  return list;
}

std::string words_of(const trainer::TrainedModel& trained, const TopicWords& ranked) {
  std::vector<std::string> words;
  for (const std::int64_t word : ranked.words)
    words.push_back(trained.checkpoint.facts.vocabulary[static_cast<std::size_t>(word)]);
  return fmt::format("{}", fmt::join(words, " "));
}

Json similar_topics(const trainer::TrainedModel& trained, const SimilarOptions& options) {
  const TopicModel& model = topic_model_of(trained);
  const std::int64_t topics = model.topic_shares(trained.parameters()).numel();
  if (options.topic >= topics) {
    throw Error(ExitCode::usage, "--topic is {}, but {} has topics 0 to {}", options.topic, trained.path,
                topics - 1);
  }
  const Tensor chosen = model.topic_tokens(trained.parameters(), options.topic, options.topic + 1)[0];
  std::vector<double> distances;
  for_each_topic(model, trained.parameters(), [&](std::int64_t, const Tensor& beta) {
    distances.push_back(hellinger_distances(beta.unsqueeze(0), chosen / chosen.sum()).item<double>());
  });
  const auto ranked = rank_words(model, trained.parameters(), WordOrder::probability, 8);
  Json json = Json::array();
  for (const Neighbour& neighbour : nearest(distances, options.topic, options.count)) {
    json.push_back({{"topic", neighbour.number},
                    {"distance", neighbour.distance},
                    {"words", words_of(trained, ranked[static_cast<std::size_t>(neighbour.number)])}});
  }
  return json;
}

// Words by their topics p(k|w) ∝ share_k β_kw: with q = √p(k|w) it is √½ ‖q − q'‖ = √(1 − Σ q q').
Json similar_words(const trainer::TrainedModel& trained, const SimilarOptions& options) {
  const std::vector<std::string>& vocabulary = trained.checkpoint.facts.vocabulary;
  const auto found = std::find(vocabulary.begin(), vocabulary.end(), options.word);
  if (found == vocabulary.end()) {
    throw Error(ExitCode::usage, "--word: \"{}\" is none of the {} words of {}", options.word,
                vocabulary.size(), trained.path);
  }
  const TopicModel& model = topic_model_of(trained);
  const std::int64_t word = found - vocabulary.begin();
  const Tensor shares = model.topic_shares(trained.parameters());
  Tensor total = at::zeros({std::ssize(vocabulary)}, at::kDouble);
  Tensor products = at::zeros_like(total);
  for_each_topic(model, trained.parameters(), [&](std::int64_t k, const Tensor& beta) {
    const Tensor joint = beta * shares[k];
    total.add_(joint);
    products.add_((joint * joint[word]).sqrt());
  });
  const Tensor distances = (1 - products / (total * total[word]).sqrt()).clamp_min(0).sqrt();
  const auto* first = distances.const_data_ptr<double>();
  Json json = Json::array();
  for (const Neighbour& neighbour : nearest({first, first + distances.numel()}, word, options.count)) {
    json.push_back(
        {{"word", vocabulary[static_cast<std::size_t>(neighbour.number)]}, {"distance", neighbour.distance}});
  }
  return json;
}

Json similar_documents(const trainer::TrainedModel& trained, const SimilarOptions& options) {
  const std::string path = options.data.empty() ? trained.settings.data.train : options.data;
  TopicDocuments documents(trained, open_data(path), options.data.empty() ? "data.train" : "--data");
  const std::vector<std::string> ids = data::read_document_ids(documents.facts());
  const auto found = std::find(ids.begin(), ids.end(), options.document);
  if (found == ids.end()) {
    throw Error(ExitCode::usage, "--document: \"{}\" is none of the {} documents of {} (\"{}\", …)",
                options.document, ids.size(), documents.facts().path, ids.front());
  }
  const std::int64_t row = found - ids.begin();
  const Tensor chosen = documents.theta(row, row + 1)[0];
  std::vector<double> distances;
  std::vector<std::int64_t> likeliest;
  for (std::int64_t first = 0; first < std::ssize(ids); first += rows_at_once) {
    const Tensor theta = documents.theta(first, std::min(first + rows_at_once, std::ssize(ids)));
    const Tensor near = hellinger_distances(theta.to(at::kDouble), chosen.to(at::kDouble));
    const Tensor topics = theta.argmax(1);
    distances.insert(distances.end(), near.data_ptr<double>(), near.data_ptr<double>() + near.numel());
    likeliest.insert(likeliest.end(), topics.data_ptr<std::int64_t>(),
                     topics.data_ptr<std::int64_t>() + topics.numel());
  }
  Json json = Json::array();
  for (const Neighbour& neighbour : nearest(distances, row, options.count)) {
    const auto place = static_cast<std::size_t>(neighbour.number);
    json.push_back(
        {{"document", ids[place]}, {"distance", neighbour.distance}, {"likeliest_topic", likeliest[place]}});
  }
  return json;
}

void print_table(const Json& neighbours) {
  std::vector<std::vector<std::string>> rows;
  std::vector<Column> columns;
  for (const Json& neighbour : neighbours) {
    std::vector<std::string> row;
    columns.clear();
    for (const auto& [name, value] : neighbour.items()) {
      columns.push_back({name == "likeliest_topic" ? "likeliest topic" : name,
                         value.is_number() ? Align::right : Align::left});
      row.push_back(value.is_string()         ? value.get<std::string>()
                    : value.is_number_float() ? fmt::format("{:.4f}", value.get<double>())
                                              : value.dump());
    }
    rows.push_back(std::move(row));
  }
  fmt::print("{}", rows.empty() ? "there is no other\n" : table_text(columns, rows));
}

}  // namespace

void declare_similar(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("similar", "the nearest topics, documents or words, by Hellinger distance");
  const auto options = std::make_shared<SimilarOptions>();
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  CLI::Option_group* kinds = command->add_option_group("what");
  within(kinds->add_option("--topic", options->topic, "a topic's number: topics with words like its own"),
         Range::at_least(0));
  kinds->add_option("--document", options->document, "a document's id: documents with topics like its own");
  kinds->add_option("--word", options->word, "a word: words from topics like its own");
  kinds->require_option(1);
  command->add_option("--data", options->data, "the file of the documents, in place of the training data");
  within(command->add_option("--count", options->count, "how many"), Range::between(1, 1000000))
      ->capture_default_str();
  command->add_flag("--json", options->is_json, "as a JSON array");
  command->footer(
      "The distance is 0 for equal distributions and 1 for those that have nothing in common.\n\n"
      "Examples:\n"
      "  svi-infer similar runs/lda-debian --topic 6\n"
      "  svi-infer similar runs/lda-debian --document gimp\n"
      "  svi-infer similar runs/lda-debian --word compiler --count 20");
  command->callback([options] {
    const trainer::TrainedModel trained = load_and_tell(options->checkpoint);
    const Json neighbours = options->topic >= 0      ? similar_topics(trained, *options)
                            : !options->word.empty() ? similar_words(trained, *options)
                                                     : similar_documents(trained, *options);
    if (!options->is_json) return print_table(neighbours);
    fmt::print("{}\n", neighbours.dump(2, ' ', false, Json::error_handler_t::replace));
  });
}

}  // namespace svi::cli
