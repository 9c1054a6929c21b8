#include "svi/data/import_counts.hpp"

#include <algorithm>
#include <cstddef>

#include "svi/data/text_reader.hpp"

namespace svi::data {

namespace {

constexpr std::int64_t most_documents = 100'000'000;
constexpr std::int64_t most_words = 10'000'000;
constexpr std::int64_t highest_exact_count = 1 << 24;  // beyond it float32 skips whole numbers

std::int64_t checked(const TextReader& reader, std::string_view text, const char* what, std::int64_t lowest,
                     std::int64_t highest) {
  const auto number = whole_number(text);
  if (!number || *number < lowest || *number > highest) {
    throw reader.problem("found {} as {}, expected a whole number from {} to {}", in_quotes(text), what,
                         lowest, highest);
  }
  return *number;
}

std::int64_t header_number(TextReader& reader, const char* what, std::int64_t lowest, std::int64_t highest) {
  if (!reader.next()) {
    throw Error(ExitCode::bad_data, "{}: ends before its header of three lines (documents, words, entries)",
                reader.path());
  }
  const auto fields = words_of(reader.line());
  return checked(reader, fields.size() == 1 ? fields[0] : std::string_view(reader.line()), what, lowest,
                 highest);
}

struct UciHeader {
  std::int64_t documents;
  std::int64_t words;
  std::int64_t entries;
};

UciHeader read_header(TextReader& reader) {
  UciHeader header{};
  header.documents = header_number(reader, "the number of documents", 1, most_documents);
  header.words = header_number(reader, "the number of words", 1, most_words);
  header.entries = header_number(reader, "the number of entries", 0, INT64_MAX);
  return header;
}

// Entries as they come, in any order of documents.
struct Entries {
  std::vector<std::int32_t> documents;
  std::vector<std::int32_t> words;
  std::vector<float> counts;
};

Entries read_entries(TextReader& reader, const UciHeader& header) {
  Entries entries;
  std::int64_t found = 0;
  for (; reader.next(); ++found) {
    const auto fields = words_of(reader.line());
    if (fields.empty() && found == header.entries) break;  // an empty last line
    if (fields.size() != 3) {
      throw reader.problem("found {}, expected three numbers: document, word, count",
                           in_quotes(reader.line()));
    }
    if (found == header.entries) {
      throw reader.problem("an entry beyond the {} that line 3 announces", header.entries);
    }
    entries.documents.push_back(
        static_cast<std::int32_t>(checked(reader, fields[0], "the document", 1, header.documents)));
    entries.words.push_back(
        static_cast<std::int32_t>(checked(reader, fields[1], "the word", 1, header.words) - 1));
    entries.counts.push_back(
        static_cast<float>(checked(reader, fields[2], "the count", 1, highest_exact_count)));
  }
  if (found != header.entries) {
    throw Error(ExitCode::bad_data, "{}: line 3 announces {} entries, but {} follow: the file is incomplete",
                reader.path(), header.entries, found);
  }
  return entries;
}

// The entries in document order, by counting; within a document as they came.
std::vector<std::size_t> by_document(const Entries& entries, std::vector<std::int64_t>& ends) {
  for (const std::int32_t document : entries.documents) ++ends[static_cast<std::size_t>(document)];
  for (std::size_t i = 1; i < ends.size(); ++i) ends[i] += ends[i - 1];
  std::vector<std::int64_t> next(ends.begin(), ends.end());
  std::vector<std::size_t> order(entries.words.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto document = static_cast<std::size_t>(entries.documents[i]);
    order[static_cast<std::size_t>(next[document - 1]++)] = i;
  }
  return order;
}

CountRows rows_of(const std::string& path, const Entries& entries, std::int64_t documents) {
  std::vector<std::int64_t> ends(static_cast<std::size_t>(documents) + 1);
  const auto order = by_document(entries, ends);
  CountRows rows;
  rows.words.reserve(order.size());
  rows.counts.reserve(order.size());
  for (std::size_t document = 1; document < ends.size(); ++document) {
    for (std::int64_t place = ends[document - 1]; place < ends[document]; ++place) {
      const std::size_t entry = order[static_cast<std::size_t>(place)];
      rows.words.push_back(entries.words[entry]);
      rows.counts.push_back(entries.counts[entry]);
    }
    if (const std::int64_t repeated = end_row(rows); repeated >= 0) {
      std::int64_t line = 0;
      for (std::int64_t place = ends[document - 1]; place < ends[document]; ++place) {
        const std::size_t entry = order[static_cast<std::size_t>(place)];
        if (entries.words[entry] == repeated) line = static_cast<std::int64_t>(entry) + 4;
      }
      throw Error(ExitCode::bad_data, "{}, line {}: names word {} of document {} a second time", path, line,
                  repeated + 1, document);
    }
  }
  return rows;
}

// The words of the file named, or the numbers first … first + size − 1.
std::vector<std::string> vocabulary_of(const std::string& vocabulary_path, std::int64_t size,
                                       std::int64_t first) {
  if (!vocabulary_path.empty()) return read_vocabulary(vocabulary_path);
  std::vector<std::string> numbers;
  for (std::int64_t i = first; i < first + size; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

// Appends one "word:count".
void add_pair(const TextReader& reader, std::string_view pair, std::int64_t words, CountRows& rows) {
  const std::size_t colon = pair.find(':');
  if (colon == std::string_view::npos) {
    throw reader.problem("found {}, expected word:count", in_quotes(pair));
  }
  rows.words.push_back(
      static_cast<std::int32_t>(checked(reader, pair.substr(0, colon), "the word", 0, words - 1)));
  rows.counts.push_back(
      static_cast<float>(checked(reader, pair.substr(colon + 1), "the count", 1, highest_exact_count)));
}

void add_document(const TextReader& reader, std::int64_t words, CountRows& rows) {
  const auto fields = words_of(reader.line());
  if (fields.empty()) {
    throw reader.problem("is empty; a document without words is written 0");
  }
  const std::int64_t pairs = checked(reader, fields[0], "the number of pairs", 0, most_words);
  if (pairs != static_cast<std::int64_t>(fields.size()) - 1) {
    throw reader.problem("announces {} word:count pairs, but {} follow", pairs, fields.size() - 1);
  }
  for (std::size_t i = 1; i < fields.size(); ++i) add_pair(reader, fields[i], words, rows);
  if (const std::int64_t repeated = end_row(rows); repeated >= 0) {
    throw reader.problem("names word {} twice", repeated);
  }
}

}  // namespace

std::vector<std::string> read_vocabulary(const std::string& path) {
  TextReader reader(path);
  std::vector<std::string> words;
  while (reader.next()) {
    if (reader.line().empty()) throw reader.problem("is empty, expected a word");
    words.push_back(reader.line());
  }
  if (words.empty()) throw Error(ExitCode::bad_data, "{}: is empty, expected a word a line", path);
  return words;
}

Corpus import_uci(const std::string& path, const std::string& vocabulary_path) {
  TextReader reader(path);
  const UciHeader header = read_header(reader);
  Corpus corpus;  // not by a designated initializer: when that throws, g++ 12 destroys `rows` twice
  corpus.vocabulary = vocabulary_of(vocabulary_path, header.words, 1);
  if (static_cast<std::int64_t>(corpus.vocabulary.size()) != header.words) {
    throw Error(ExitCode::bad_data, "{}, line 2: announces {} words, but {} has {}", path, header.words,
                vocabulary_path, corpus.vocabulary.size());
  }
  corpus.rows = rows_of(path, read_entries(reader, header), header.documents);
  return corpus;
}

Corpus import_lda_c(const std::string& path, const std::string& vocabulary_path) {
  TextReader reader(path);
  Corpus corpus;
  if (!vocabulary_path.empty()) corpus.vocabulary = read_vocabulary(vocabulary_path);
  const std::int64_t words =
      vocabulary_path.empty() ? most_words : static_cast<std::int64_t>(corpus.vocabulary.size());
  while (reader.next()) add_document(reader, words, corpus.rows);
  if (corpus.rows.words.empty()) throw Error(ExitCode::bad_data, "{}: has no words", path);
  if (vocabulary_path.empty()) {
    const auto highest = *std::max_element(corpus.rows.words.begin(), corpus.rows.words.end());
    corpus.vocabulary = vocabulary_of("", std::int64_t{highest} + 1, 0);
  }
  return corpus;
}

}  // namespace svi::data
