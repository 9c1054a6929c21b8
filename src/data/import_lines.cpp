// Formats of a document a line.
#include <algorithm>

#include "checked_numbers.hpp"
#include "names.hpp"
#include "svi/data/counts_writer.hpp"

namespace svi::data {

namespace {

// A row that grows and is written when its line ends.
class LineRow {
 public:
  void add(std::int64_t word, std::int64_t count) {
    if (count == 0) return;
    entries_.words.push_back(static_cast<std::int32_t>(word));
    entries_.counts.push_back(static_cast<float>(count));
  }
  // A word that the line names twice, or −1.
  std::int64_t end(CountsWriter& writer) {
    const std::int64_t repeated = end_row(entries_);
    if (repeated < 0) writer.add_row(entries_.words, entries_.counts);
    entries_ = {};
    return repeated;
  }

 private:
  CountRows entries_;
};

// Adds one "word:count", the word a number.
void add_pair(const TextReader& reader, std::string_view pair, std::int64_t first, std::int64_t words,
              bool takes_reals, LineRow& row) {
  const std::size_t colon = pair.find(':');
  if (colon == std::string_view::npos) {
    throw reader.problem("found {}, expected word:count", in_quotes(pair));
  }
  const std::int64_t word =
      checked_number(reader, pair.substr(0, colon), "the word", first, first + words - 1);
  const std::string_view count = pair.substr(colon + 1);
  row.add(word - first, takes_reals ? real_count(reader, reader.line_number(), count)
                                    : checked_number(reader, count, "the count", 1, highest_exact_count));
}

// What reads a line into a row, or returns false where the line is no document.
template <typename ReadLine>
CountsSummary import_lines(const CountFiles& files, std::int64_t first, const ReadLine& read_line) {
  std::vector<std::string> vocabulary;
  if (!files.vocabulary.empty()) vocabulary = vocabulary_or_numbers(files, 0, 0);
  const std::int64_t words = vocabulary.empty() ? most_words : std::ssize(vocabulary);
  CountsWriter writer(files.output);
  LineRow row;
  TextReader reader(files.input);
  while (reader.next()) {
    if (!read_line(reader, words, row)) continue;
    if (const std::int64_t repeated = row.end(writer); repeated >= 0)
      throw reader.problem("names word {} twice", repeated + first);
  }
  if (writer.columns() == 0) throw Error(ExitCode::bad_data, "{}: has no words", files.input);
  if (vocabulary.empty()) vocabulary = vocabulary_or_numbers(files, writer.columns(), first);
  return writer.finish(vocabulary, document_ids_or_none(files, writer.rows()));
}

bool read_lda_c_line(const TextReader& reader, std::int64_t words, LineRow& row) {
  const auto fields = words_of(reader.line());
  if (fields.empty()) throw reader.problem("is empty; a document without words is written 0");
  const std::int64_t pairs = checked_number(reader, fields[0], "the number of pairs", 0, most_words);
  if (pairs != std::ssize(fields) - 1) {
    throw reader.problem("announces {} word:count pairs, but {} follow", pairs, fields.size() - 1);
  }
  for (const auto pair : std::span(fields).subspan(1)) add_pair(reader, pair, 0, words, false, row);
  return true;
}

// A number, or several with commas (a label each).
bool is_label(std::string_view text) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (!real_number(text.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

bool read_svmlight_line(const TextReader& reader, std::int64_t first, std::int64_t words, LineRow& row) {
  const auto fields = words_of(std::string_view(reader.line()).substr(0, reader.line().find('#')));
  if (fields.empty()) return false;
  if (!is_label(fields[0])) {
    throw reader.problem("found {} as the label, expected a number before the pairs word:count",
                         in_quotes(fields[0]));
  }
  const bool has_query = fields.size() > 1 && fields[1].starts_with("qid:");
  for (const auto pair : std::span(fields).subspan(has_query ? 2 : 1)) {
    if (first == 1 && pair.starts_with("0:")) {
      throw reader.problem("found {}, but words are numbered from 1; --zero-based takes them from 0",
                           in_quotes(pair));
    }
    add_pair(reader, pair, first, words, true, row);
  }
  return true;
}

}  // namespace

CountsSummary import_lda_c(const CountFiles& files) { return import_lines(files, 0, read_lda_c_line); }

CountsSummary import_svmlight(const CountFiles& files, bool is_zero_based) {
  const std::int64_t first = is_zero_based ? 0 : 1;
  return import_lines(files, first, [first](const TextReader& reader, std::int64_t words, LineRow& row) {
    return read_svmlight_line(reader, first, words, row);
  });
}

}  // namespace svi::data
