#include <algorithm>
#include <functional>
#include <map>
#include <unordered_map>

#include "checked_numbers.hpp"
#include "names.hpp"
#include "svi/data/counts_writer.hpp"

namespace svi::data {

namespace {

struct Feature {
  std::string_view word;
  std::int64_t count;
};

// A line of Vowpal Wabbit's, taken apart; the views live as long as the line.
struct Example {
  std::string_view tag;  // empty: none
  std::vector<Feature> features;
};

Feature feature_of(const TextReader& reader, std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == 0) throw reader.problem("found {}, expected word or word:count", in_quotes(text));
  if (colon == std::string_view::npos) return {text, 1};
  return {text.substr(0, colon), real_count(reader, reader.line_number(), text.substr(colon + 1))};
}

// What stands before the first bar: numbers, and a tag that touches the bar or starts with '.
std::string_view tag_of(const TextReader& reader, std::string_view head) {
  std::string_view tag;
  const bool touches_bar = !head.empty() && head.back() != ' ' && head.back() != '\t';
  const auto fields = words_of(head);
  for (const std::string_view& field : fields) {
    const bool is_last = &field == &fields.back();
    if (field.starts_with('\'')) {
      tag = field.substr(1);
    } else if (is_last && touches_bar) {
      tag = field;
    } else if (field.find_first_not_of("0123456789.,:+-eE") != std::string_view::npos) {
      throw reader.problem("found {} before the bar, expected label, importance and 'tag", in_quotes(field));
    }
  }
  return tag;
}

// A bar and what follows up to the next: "|name word …", the name only where it touches the bar.
void add_part(const TextReader& reader, std::string_view part, const std::string& wanted, Example& example) {
  const auto words = words_of(part);
  std::span<const std::string_view> fields = words;
  std::string_view name;
  if (!part.empty() && part.front() != ' ' && part.front() != '\t') {
    name = words.front();
    fields = fields.subspan(1);
  }
  if (name.find(':') != std::string_view::npos) {
    throw reader.problem("namespace {} has a weight, but counts are whole: leave it out", in_quotes(name));
  }
  if (!wanted.empty() && name != wanted) return;
  for (const std::string_view field : fields) example.features.push_back(feature_of(reader, field));
}

Example example_of(const TextReader& reader, const std::string& wanted) {
  const std::string_view line = reader.line();
  std::size_t bar = line.find('|');
  if (bar == std::string_view::npos) {
    throw reader.problem("found {}, expected a bar before the words; a document without words is written |",
                         in_quotes(line));
  }
  Example example{.tag = tag_of(reader, line.substr(0, bar))};
  while (bar != std::string_view::npos) {
    const std::size_t next = line.find('|', bar + 1);
    add_part(reader, line.substr(bar + 1, next == std::string_view::npos ? next : next - bar - 1), wanted,
             example);
    bar = next;
  }
  return example;
}

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using Numbers = std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>>;

// All words of a file, in alphabetical order or, where all are numbers, in theirs.
std::vector<std::string> words_in(const std::string& path, const std::string& wanted) {
  Numbers seen;
  TextReader reader(path);
  while (reader.next()) {
    for (const Feature& feature : example_of(reader, wanted).features) {
      if (seen.find(feature.word) == seen.end()) seen.emplace(feature.word, 0);
    }
    if (std::ssize(seen) > most_words) throw reader.problem("brings more than {} distinct words", most_words);
  }
  if (seen.empty()) {
    throw Error(ExitCode::bad_data, "{}: has no words{}", path,
                wanted.empty() ? "" : " in the namespace " + in_quotes(wanted));
  }
  std::vector<std::string> words;
  for (const auto& [word, number] : seen) words.push_back(word);
  std::ranges::sort(words);
  if (std::ranges::all_of(words, [](const std::string& word) { return whole_number(word).has_value(); })) {
    std::ranges::stable_sort(words, {}, [](const std::string& word) { return *whole_number(word); });
  }
  return words;
}

Numbers numbers_of(const std::vector<std::string>& vocabulary) {
  Numbers numbers;
  for (std::size_t i = 0; i < vocabulary.size(); ++i)
    numbers.emplace(vocabulary[i], static_cast<std::int32_t>(i));
  return numbers;
}

// Adds the counts of a repeated word up.
void add_row(const TextReader& reader, const Example& example, const Numbers& numbers, CountsWriter& writer) {
  std::map<std::int32_t, std::int64_t> row;
  for (const Feature& feature : example.features) {
    const auto found = numbers.find(feature.word);
    if (found == numbers.end()) throw reader.problem("{} is not in the vocabulary", in_quotes(feature.word));
    if (feature.count > 0) row[found->second] += feature.count;
  }
  std::vector<std::int32_t> words;
  std::vector<float> counts;
  for (const auto& [word, count] : row) {
    if (count > highest_exact_count)
      throw reader.problem("the counts of a word add up to {}, more than {}", count, highest_exact_count);
    words.push_back(word);
    counts.push_back(static_cast<float>(count));
  }
  writer.add_row(words, counts);
}

}  // namespace

CountsSummary import_vw(const CountFiles& files, const std::string& name_space) {
  const auto vocabulary = files.vocabulary.empty()
                              ? words_in(files.input, name_space)
                              : read_names(files.vocabulary, files.names_column, "a word");
  const Numbers numbers = numbers_of(vocabulary);
  CountsWriter writer(files.output);
  std::vector<std::string> tags;
  TextReader reader(files.input);
  while (reader.next()) {
    const Example example = example_of(reader, name_space);
    if (!example.tag.empty() && tags.empty()) {  // those before it have none
      for (std::int64_t row = 0; row < writer.rows(); ++row) tags.push_back(std::to_string(row));
      tags.emplace_back(example.tag);
    } else if (!tags.empty()) {
      tags.push_back(example.tag.empty() ? std::to_string(writer.rows()) : std::string(example.tag));
    }
    add_row(reader, example, numbers, writer);
  }
  if (writer.columns() == 0) throw Error(ExitCode::bad_data, "{}: has no words", files.input);
  return writer.finish(vocabulary,
                       files.document_ids.empty() ? tags : document_ids_or_none(files, writer.rows()));
}

}  // namespace svi::data
