#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <vector>

#include "export.hpp"
#include "svi/cli/infer.hpp"
#include "svi/models/topic_map.hpp"
#include "svi/models/topic_words.hpp"

namespace svi::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t rows_at_once = 4096;
constexpr std::int64_t most_words = 30;  // R, the bars of a chart
constexpr int lambda_steps = 100;

// Names as in pyLDAvis._prepare.prepare, but topics keep the model's numbers until they are written out.
struct Prepared {
  const trainer::TrainedModel& trained;
  const TopicModel& model;
  std::vector<double> topic_freq;   // [K] tokens of each topic in the documents
  std::vector<std::int64_t> order;  // topics, the most frequent first
  Tensor term_frequency;            // [V]
  Tensor distinctiveness;           // [V]
  std::set<std::int64_t> terms;     // all that any chart shows
  Json tinfo = {{"Term", Json::array()},     {"Freq", Json::array()},    {"Total", Json::array()},
                {"Category", Json::array()}, {"logprob", Json::array()}, {"loglift", Json::array()}};

  double tokens() const { return std::accumulate(topic_freq.begin(), topic_freq.end(), 0.0); }
  double freq(std::int64_t topic) const { return topic_freq[static_cast<std::size_t>(topic)]; }
  const std::string& word(std::int64_t term) const {
    return trained.checkpoint.facts.vocabulary[static_cast<std::size_t>(term)];
  }
  void add(std::int64_t term, double freq, double total, const std::string& category, double logprob,
           double loglift) {
    tinfo["Term"].push_back(word(term));
    tinfo["Freq"].push_back(freq);
    tinfo["Total"].push_back(total);
    tinfo["Category"].push_back(category);
    tinfo["logprob"].push_back(logprob);
    tinfo["loglift"].push_back(loglift);
    terms.insert(term);
  }
};

std::vector<double> tokens_by_topic(TopicDocuments& documents) {
  Tensor total = at::zeros({documents.topics()}, at::kDouble);
  for (std::int64_t first = 0; first < documents.facts().rows; first += rows_at_once) {
    const Tensor theta = documents.theta(first, std::min(first + rows_at_once, documents.facts().rows));
    total += at::tensor(documents.lengths(), at::kDouble).matmul(theta.to(at::kDouble));
  }
  return {total.data_ptr<double>(), total.data_ptr<double>() + total.numel()};
}

// Sums over topics: how often the model expects each word, and how much it tells of the topic.
void measure_terms(Prepared& prepared) {
  const Tensor zero = at::zeros({std::ssize(prepared.trained.checkpoint.facts.vocabulary)}, at::kDouble);
  Tensor over_topics = zero.clone();
  prepared.term_frequency = zero.clone();
  prepared.distinctiveness = zero.clone();
  for_each_topic(prepared.model, prepared.trained.parameters(), [&](std::int64_t k, const Tensor& beta) {
    over_topics += beta;
    prepared.term_frequency += beta * prepared.freq(k);
  });
  for_each_topic(prepared.model, prepared.trained.parameters(), [&](std::int64_t k, const Tensor& beta) {
    const Tensor given_term = beta / over_topics;
    prepared.distinctiveness += at::xlogy(given_term, given_term / (prepared.freq(k) / prepared.tokens()));
  });
}

// The first terms by a score, equal ones by number.
std::vector<std::int64_t> first_terms(const std::vector<double>& scores) {
  std::vector<std::int64_t> terms(scores.size());
  std::iota(terms.begin(), terms.end(), std::int64_t{0});
  const auto end = terms.begin() + std::min(most_words, std::ssize(scores));
  std::partial_sort(terms.begin(), end, terms.end(), [&](std::int64_t a, std::int64_t b) {
    const double first = scores[static_cast<std::size_t>(a)];
    const double second = scores[static_cast<std::size_t>(b)];
    return first != second ? first > second : a < b;
  });
  terms.erase(end, terms.end());
  return terms;
}

std::vector<double> values_of(const Tensor& tensor) {
  const Tensor whole = tensor.contiguous();
  return {whole.data_ptr<double>(), whole.data_ptr<double>() + whole.numel()};
}

// The chart of no topic: terms by saliency.
void add_default_chart(Prepared& prepared) {
  const std::vector<double> frequency = values_of(prepared.term_frequency);
  const auto terms = first_terms(values_of(prepared.term_frequency * prepared.distinctiveness));
  auto rank = static_cast<double>(terms.size());
  for (const std::int64_t term : terms) {
    const double count = std::floor(frequency[static_cast<std::size_t>(term)]);
    prepared.add(term, count, count, "Default", rank, rank);
    rank -= 1;
  }
}

double to_four_digits(double value) { return std::nearbyint(value * 1e4) / 1e4; }

// A topic's chart: terms that are among the first by relevance λ·ln β + (1 − λ)·ln lift for some λ.
void add_topic_chart(Prepared& prepared, const Tensor& beta, double freq, const std::string& category) {
  const std::vector<double> probabilities = values_of(beta);
  const std::vector<double> frequency = values_of(prepared.term_frequency);
  const std::vector<double> logprob = values_of(beta.log());
  const std::vector<double> loglift =
      values_of((beta / (prepared.term_frequency / prepared.term_frequency.sum())).log());
  std::vector<double> relevance(logprob.size());
  std::set<std::int64_t> shown;
  for (int step = 0; step <= lambda_steps; ++step) {
    const double lambda = step / static_cast<double>(lambda_steps);
    for (std::size_t w = 0; w < relevance.size(); ++w)
      relevance[w] = lambda * logprob[w] + (1 - lambda) * loglift[w];
    for (const std::int64_t term : first_terms(relevance)) {
      if (!shown.insert(term).second) continue;
      const auto w = static_cast<std::size_t>(term);
      prepared.add(term, freq * probabilities[w], frequency[w], category, to_four_digits(logprob[w]),
                   to_four_digits(loglift[w]));
    }
  }
}

void add_topic_charts(Prepared& prepared) {
  for (std::size_t place = 0; place < prepared.order.size(); ++place) {
    const std::int64_t topic = prepared.order[place];
    const Tensor tokens = prepared.model.topic_tokens(prepared.trained.parameters(), topic, topic + 1)[0];
    add_topic_chart(prepared, tokens / tokens.sum(), prepared.freq(topic), fmt::format("Topic{}", place + 1));
  }
}

// How each shown term is spread over topics, without what rounds to no token.
Json token_table(const Prepared& prepared) {
  const std::vector<std::int64_t> terms(prepared.terms.begin(), prepared.terms.end());
  const Tensor index = at::tensor(terms, at::kLong);
  const std::vector<double> totals = values_of(prepared.term_frequency.index_select(0, index));
  std::vector<std::vector<double>> freq(prepared.order.size());  // [K, terms]
  for_each_topic(prepared.model, prepared.trained.parameters(), [&](std::int64_t k, const Tensor& beta) {
    freq[static_cast<std::size_t>(k)] = values_of(beta.index_select(0, index) * prepared.freq(k));
  });
  std::vector<std::size_t> by_word(terms.size());
  std::iota(by_word.begin(), by_word.end(), std::size_t{0});
  std::sort(by_word.begin(), by_word.end(),
            [&](std::size_t a, std::size_t b) { return prepared.word(terms[a]) < prepared.word(terms[b]); });
  Json table{{"Topic", Json::array()}, {"Freq", Json::array()}, {"Term", Json::array()}};
  for (const std::size_t place : by_word) {
    for (std::size_t topic = 0; topic < prepared.order.size(); ++topic) {
      const double count = freq[static_cast<std::size_t>(prepared.order[topic])][place];
      if (count < 0.5) continue;
      table["Topic"].push_back(topic + 1);
      table["Freq"].push_back(std::nearbyint(count) / totals[place]);
      table["Term"].push_back(prepared.word(terms[place]));
    }
  }
  return table;
}

Json topic_coordinates(const Prepared& prepared) {
  const Tensor order = at::tensor(prepared.order, at::kLong);
  const Tensor divergences = topic_divergences(prepared.model, prepared.trained.parameters());
  const Tensor points = principal_coordinates(divergences).index_select(0, order);
  Json table{{"x", values_of(points.select(1, 0))},
             {"y", values_of(points.select(1, 1))},
             {"topics", Json::array()},
             {"cluster", Json::array()},
             {"Freq", Json::array()}};
  for (std::size_t place = 0; place < prepared.order.size(); ++place) {
    table["topics"].push_back(place + 1);
    table["cluster"].push_back(1);
    table["Freq"].push_back(100 * prepared.freq(prepared.order[place]) / prepared.tokens());
  }
  return table;
}

}  // namespace

std::string ldavis_json(const trainer::TrainedModel& trained, TopicDocuments& documents) {
  Prepared prepared{
      .trained = trained, .model = topic_model_of(trained), .topic_freq = tokens_by_topic(documents)};
  prepared.order.resize(prepared.topic_freq.size());
  std::iota(prepared.order.begin(), prepared.order.end(), std::int64_t{0});
  std::stable_sort(prepared.order.begin(), prepared.order.end(),
                   [&](std::int64_t a, std::int64_t b) { return prepared.freq(a) > prepared.freq(b); });
  measure_terms(prepared);
  add_default_chart(prepared);
  add_topic_charts(prepared);
  Json topic_order = Json::array();
  for (const std::int64_t topic : prepared.order) topic_order.push_back(topic + 1);
  const auto vocabulary = std::ssize(trained.checkpoint.facts.vocabulary);
  const Json json{{"mdsDat", topic_coordinates(prepared)},
                  {"tinfo", prepared.tinfo},
                  {"token.table", token_table(prepared)},
                  {"R", std::min(most_words, vocabulary)},
                  {"lambda.step", 1.0 / lambda_steps},
                  {"plot.opts", {{"xlab", "PC1"}, {"ylab", "PC2"}}},
                  {"topic.order", topic_order}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string ldavis_page(const std::string& json, const std::string& title) {
  std::string data;  // no "</script>" in a word may end the script
  for (const char letter : json) data += letter == '<' ? std::string("\\u003c") : std::string(1, letter);
  std::string safe_title;
  for (const char letter : title) safe_title += letter == '<' || letter == '&' ? ' ' : letter;
  constexpr const char* page = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{0}</title>
<link rel="stylesheet" href="https://cdn.jsdelivr.net/gh/bmabey/pyLDAvis@3.4.0/pyLDAvis/js/ldavis.v1.0.0.css">
<script src="https://d3js.org/d3.v5.js"></script>
<script src="https://cdn.jsdelivr.net/gh/bmabey/pyLDAvis@3.4.0/pyLDAvis/js/ldavis.v3.0.0.js"></script>
</head>
<body>
<div id="topics"></div>
<script>
new LDAvis("#topics", {1});
// Version 3.0.0 of the script looks for its bar axis by a class that it never sets, and so would not rescale it.
d3.selectAll("[x=xaxis]").attr("class", "xaxis");
</script>
</body>
</html>
)";
  return fmt::format(fmt::runtime(page), safe_title, data);
}

}  // namespace svi::cli
