#include "svi/data/word_priors.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "svi/data/match_words.hpp"
#include "svi/data/text_reader.hpp"

namespace svi::data {

namespace {

struct Line {
  std::string word;
  std::int32_t topic = WordPrior::all_topics;
  double weight = 0;
};

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t tab = line.find('\t'); tab != std::string_view::npos; tab = line.find('\t')) {
    fields.push_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  fields.push_back(line);
  return fields;
}

std::int32_t topic_of(const TextReader& reader, std::string_view field, std::int64_t topics) {
  const std::optional<std::int64_t> topic = whole_number(field);
  if (topic && *topic >= 0 && *topic < topics) return static_cast<std::int32_t>(*topic);
  throw reader.problem("the topic is {}; expected a whole number from 0 to {} (model.topics less one)",
                       in_quotes(field), topics - 1);
}

double weight_of(const TextReader& reader, std::string_view field) {
  constexpr double largest = 1e10;  // well inside float32
  const std::optional<double> weight = real_number(field);
  if (weight && *weight > 0 && *weight <= largest) return *weight;
  throw reader.problem("the weight is {}; expected a number above 0 and at most {}", in_quotes(field),
                       largest);
}

Line line_of(const TextReader& reader, std::int64_t topics) {
  const std::vector<std::string_view> fields = fields_of(reader.line());
  if (fields.size() < 2 || fields.size() > 3 || fields.front().empty()) {
    throw reader.problem("found {}; expected word<TAB>weight or word<TAB>topic<TAB>weight",
                         in_quotes(reader.line()));
  }
  Line line{.word = std::string(fields.front()), .weight = weight_of(reader, fields.back())};
  if (fields.size() == 3) line.topic = topic_of(reader, fields[1], topics);
  return line;
}

// Each pair of word and topic once.
std::vector<Line> read_lines(const std::string& path, std::int64_t topics) {
  TextReader reader(path);
  std::vector<Line> lines;
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> line_numbers;
  while (reader.next()) {
    const std::string& text = reader.line();
    if (text.empty() || (text.front() == '#' && text.find('\t') == std::string::npos)) continue;
    lines.push_back(line_of(reader, topics));
    const auto [earlier, is_new] =
        line_numbers.try_emplace({lines.back().word, lines.back().topic}, reader.line_number());
    if (is_new) continue;
    throw reader.problem("{} has a weight {} already, in line {}; keep one of them",
                         in_quotes(lines.back().word),
                         lines.back().topic < 0 ? "in all topics" : "in this topic", earlier->second);
  }
  return lines;
}

// The lines' words, each once, in the order of the lines.
std::vector<std::string> words_in(const std::vector<Line>& lines) {
  std::map<std::string_view, bool> seen;
  std::vector<std::string> words;
  for (const Line& line : lines) {
    if (seen.try_emplace(line.word, true).second) words.push_back(line.word);
  }
  return words;
}

}  // namespace

WordPriorFile read_word_priors(const std::string& path, const std::vector<std::string>& vocabulary,
                               std::int64_t topics) {
  const std::vector<Line> lines = read_lines(path, topics);
  const std::vector<std::string> words = words_in(lines);
  const std::vector<std::int32_t> numbers = match_words(words, vocabulary, path);
  std::map<std::string_view, std::int32_t> number_of;
  WordPriorFile file;
  for (std::size_t i = 0; i < words.size(); ++i) {
    number_of[words[i]] = numbers[i];
    if (numbers[i] < 0) file.unknown.push_back(words[i]);
  }
  for (const Line& line : lines) {
    const std::int32_t number = number_of.at(line.word);
    if (number >= 0) file.priors.push_back({number, line.topic, line.weight});
  }
  std::ranges::sort(file.priors, {},
                    [](const WordPrior& prior) { return std::pair(prior.word, prior.topic); });
  if (!file.priors.empty()) return file;
  throw Error(ExitCode::bad_data, "{}: none of its {} words is in the vocabulary of the training data", path,
              words.size());
}

}  // namespace svi::data
