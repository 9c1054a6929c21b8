#include "svi/data/import_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <numeric>

#include "svi/base/units.hpp"
#include "svi/data/text_reader.hpp"

namespace svi::data {

CorpusBuilder::CorpusBuilder(TextOptions options)
    : options_(std::move(options)), stop_words_(data::stop_words(options_.stop_words)) {}

void CorpusBuilder::begin(std::string id) {
  ids_.push_back(std::move(id));
  starts_.push_back(static_cast<std::int64_t>(tokens_.size()));
}

void CorpusBuilder::add(std::string_view text) {
  for_each_token(text, static_cast<int>(options_.shortest), [&](std::string_view token) {
    std::string word(token);
    if (stop_words_.contains(word)) return;
    const auto next = static_cast<std::int32_t>(numbers_.size());
    tokens_.push_back(numbers_.emplace(std::move(word), next).first->second);
  });
}

std::vector<std::int64_t> CorpusBuilder::document_frequencies() const {
  std::vector<std::int64_t> frequencies(numbers_.size());
  std::vector<std::int64_t> seen_in(numbers_.size(), -1);
  for (std::int64_t document = 0; document < documents(); ++document) {
    const auto row = static_cast<std::size_t>(document);
    const std::int64_t end =
        row + 1 < starts_.size() ? starts_[row + 1] : static_cast<std::int64_t>(tokens_.size());
    for (std::int64_t i = starts_[row]; i < end; ++i) {
      const auto word = static_cast<std::size_t>(tokens_[static_cast<std::size_t>(i)]);
      if (seen_in[word] != document) ++frequencies[word];
      seen_in[word] = document;
    }
  }
  return frequencies;
}

// The numbers of the words that stay, in alphabetical order.
std::vector<std::int32_t> CorpusBuilder::kept(const std::vector<std::string_view>& words) const {
  const auto frequencies = document_frequencies();
  const auto frequency = [&](std::int32_t word) { return frequencies[static_cast<std::size_t>(word)]; };
  const auto alphabetical = [&](std::int32_t a, std::int32_t b) {
    return words[static_cast<std::size_t>(a)] < words[static_cast<std::size_t>(b)];
  };
  const auto most =
      static_cast<std::int64_t>(std::floor(options_.max_df * static_cast<double>(documents()) + 1e-9));
  std::vector<std::int32_t> result(words.size());
  std::iota(result.begin(), result.end(), 0);
  std::erase_if(
      result, [&](std::int32_t word) { return frequency(word) < options_.min_df || frequency(word) > most; });
  std::sort(result.begin(), result.end(), alphabetical);
  if (options_.keep > 0 && static_cast<std::int64_t>(result.size()) > options_.keep) {
    std::stable_sort(result.begin(), result.end(),
                     [&](std::int32_t a, std::int32_t b) { return frequency(a) > frequency(b); });
    result.resize(static_cast<std::size_t>(options_.keep));
    std::sort(result.begin(), result.end(), alphabetical);
  }
  return result;
}

Corpus CorpusBuilder::finish() {
  if (ids_.empty()) throw Error(ExitCode::bad_data, "the input has no document");
  std::vector<std::string_view> words(numbers_.size());
  for (const auto& [word, number] : numbers_) words[static_cast<std::size_t>(number)] = word;
  const auto stay = kept(words);
  if (stay.empty()) {
    throw Error(
        ExitCode::bad_data,
        "no word is left of {} distinct ones in {} documents: none is in at least {} documents and at "
        "most {} of them all; lower --min-df or raise --max-df",
        count_text(static_cast<std::int64_t>(words.size())), count_text(documents()), options_.min_df,
        options_.max_df);
  }
  std::vector<std::int32_t> column(words.size(), -1);
  Corpus corpus;
  for (const std::int32_t word : stay) {
    column[static_cast<std::size_t>(word)] = static_cast<std::int32_t>(corpus.vocabulary.size());
    corpus.vocabulary.emplace_back(words[static_cast<std::size_t>(word)]);
  }
  corpus.rows = counted(column);
  corpus.document_ids = std::move(ids_);
  return corpus;
}

// Each document's tokens, by the column of their word (−1: dropped), sorted and counted.
CountRows CorpusBuilder::counted(const std::vector<std::int32_t>& column) const {
  CountRows rows;
  std::vector<std::int32_t> columns;
  for (std::size_t document = 0; document < starts_.size(); ++document) {
    const auto first = tokens_.begin() + starts_[document];
    const auto last = document + 1 < starts_.size() ? tokens_.begin() + starts_[document + 1] : tokens_.end();
    columns.clear();
    for (auto token = first; token != last; ++token) {
      const std::int32_t place = column[static_cast<std::size_t>(*token)];
      if (place >= 0) columns.push_back(place);
    }
    std::sort(columns.begin(), columns.end());
    for (auto run = columns.begin(); run != columns.end();) {
      const auto end = std::upper_bound(run, columns.end(), *run);
      rows.words.push_back(*run);
      rows.counts.push_back(static_cast<float>(end - run));
      run = end;
    }
    rows.starts.push_back(static_cast<std::int64_t>(rows.words.size()));
  }
  return rows;
}

Corpus import_text_files(const std::vector<std::string>& paths, const TextOptions& options) {
  CorpusBuilder builder(options);
  for (const std::string& path : paths) {
    TextReader reader(path);
    builder.begin(path);
    while (reader.next()) builder.add(reader.line());
  }
  return builder.finish();
}

Corpus import_text_lines(const std::vector<std::string>& paths, const TextOptions& options) {
  CorpusBuilder builder(options);
  for (const std::string& path : paths) {
    for (TextReader reader(path); reader.next();) {
      builder.begin(std::to_string(builder.documents()));
      builder.add(reader.line());
    }
  }
  return builder.finish();
}

namespace {

const nlohmann::json& member(const TextReader& reader, const nlohmann::json& object,
                             const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end()) throw reader.problem("the object has no member \"{}\"", name);
  return *found;
}

std::string id_of(const TextReader& reader, const nlohmann::json& object, const std::string& name) {
  const nlohmann::json& id = member(reader, object, name);
  if (id.is_string()) return id.get<std::string>();
  if (id.is_number()) return id.dump();
  throw reader.problem("member \"{}\" is of type {}, expected a text or a number", name, id.type_name());
}

void add_object(const TextReader& reader, const JsonlOptions& jsonl, CorpusBuilder& builder) {
  const auto object = nlohmann::json::parse(reader.line(), nullptr, false);
  if (!object.is_object()) throw reader.problem("found {}, expected a JSON object", in_quotes(reader.line()));
  const nlohmann::json& text = member(reader, object, jsonl.field);
  if (!text.is_string()) {
    throw reader.problem("member \"{}\" is of type {}, expected a text", jsonl.field, text.type_name());
  }
  builder.begin(jsonl.id_field.empty() ? std::to_string(builder.documents())
                                       : id_of(reader, object, jsonl.id_field));
  builder.add(text.get_ref<const std::string&>());
}

}  // namespace

Corpus import_jsonl(const std::vector<std::string>& paths, const JsonlOptions& jsonl,
                    const TextOptions& options) {
  CorpusBuilder builder(options);
  for (const std::string& path : paths) {
    for (TextReader reader(path); reader.next();) {
      if (!reader.line().empty()) add_object(reader, jsonl, builder);
    }
  }
  return builder.finish();
}

}  // namespace svi::data
