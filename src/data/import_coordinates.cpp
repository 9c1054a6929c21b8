#include <algorithm>
#include <cctype>

#include "checked_numbers.hpp"
#include "coordinate_lines.hpp"
#include "names.hpp"

namespace svi::data {

namespace {

std::int64_t uci_header_number(TextReader& reader, const char* what, std::int64_t lowest,
                               std::int64_t highest) {
  if (!reader.next()) {
    throw Error(ExitCode::bad_data, "{}: ends before its header of three lines (documents, words, entries)",
                reader.path());
  }
  const auto fields = words_of(reader.line());
  return checked_number(reader, fields.size() == 1 ? fields[0] : std::string_view(reader.line()), what,
                        lowest, highest);
}

CoordinateFormat read_uci_header(TextReader& reader) {
  CoordinateFormat format{.names = {"the document", "the word"}};
  format.highest[0] = uci_header_number(reader, "the number of documents", 1, most_documents);
  format.highest[1] = uci_header_number(reader, "the number of words", 1, most_words);
  format.words_line = reader.line_number();
  format.entries = uci_header_number(reader, "the number of entries", 0, INT64_MAX);
  return format;
}

std::string in_lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char letter) { return std::tolower(letter); });
  return text;
}

// "%%MatrixMarket matrix coordinate integer general"
void read_banner(TextReader& reader) {
  if (!reader.next() || !in_lower_case(reader.line()).starts_with("%%matrixmarket")) {
    throw Error(ExitCode::bad_data, "{}, line 1: found {}, expected the banner %%MatrixMarket", reader.path(),
                in_quotes(reader.line()));
  }
  const std::string line = in_lower_case(reader.line());
  const auto fields = words_of(line);
  const auto is_one_of = [&](std::size_t place, std::initializer_list<std::string_view> words) {
    return place < fields.size() && std::ranges::find(words, fields[place]) != words.end();
  };
  if (fields.size() != 5 || !is_one_of(1, {"matrix"}) || !is_one_of(2, {"coordinate"}) ||
      !is_one_of(3, {"integer", "real"}) || !is_one_of(4, {"general"})) {
    throw reader.problem(
        "found {}, expected %%MatrixMarket matrix coordinate, then integer or real, then general",
        in_quotes(reader.line()));
  }
}

CoordinateFormat read_mtx_header(TextReader& reader, bool is_transposed) {
  read_banner(reader);
  do {
    if (!reader.next()) {
      throw Error(ExitCode::bad_data, "{}: ends before the line of its sizes (rows, columns, entries)",
                  reader.path());
    }
  } while (reader.line().starts_with('%') || words_of(reader.line()).empty());
  const auto fields = words_of(reader.line());
  if (fields.size() != 3) {
    throw reader.problem("found {}, expected three numbers: rows, columns, entries",
                         in_quotes(reader.line()));
  }
  const std::int64_t most_rows = is_transposed ? most_words : most_documents;
  const std::int64_t most_columns = is_transposed ? most_documents : most_words;
  CoordinateFormat format{.names = {"the row", "the column"}};
  format.highest[0] = checked_number(reader, fields[0], "the number of rows", 1, most_rows);
  format.highest[1] = checked_number(reader, fields[1], "the number of columns", 1, most_columns);
  format.entries = checked_number(reader, fields[2], "the number of entries", 0, INT64_MAX);
  format.words_line = reader.line_number();
  format.is_transposed = is_transposed;
  format.takes_reals = true;
  format.lowest_count = 0;
  return format;
}

CountsSummary import_coordinates(CoordinateLines& source, const CountFiles& files, const char* hint) {
  Names names;
  names.vocabulary = vocabulary_or_numbers(files, source.words(), 1);
  if (std::ssize(names.vocabulary) != source.words()) {
    throw source.reader().problem_at(source.format().words_line, "announces {} words, but {} has {}{}",
                                     source.words(), files.vocabulary, names.vocabulary.size(), hint);
  }
  names.document_ids = document_ids_or_none(files, source.documents());
  return write_entries(source, source.documents(), names, files);
}

}  // namespace

CountsSummary import_uci(const CountFiles& files) {
  CoordinateLines source(files.input, read_uci_header);
  return import_coordinates(source, files, "");
}

CountsSummary import_mtx(const CountFiles& files, bool is_transposed) {
  CoordinateLines source(
      files.input, [is_transposed](TextReader& reader) { return read_mtx_header(reader, is_transposed); });
  return import_coordinates(source, files,
                            is_transposed ? "; rows are words, because of --transposed"
                                          : "; columns are words, --transposed makes them documents");
}

}  // namespace svi::data
