#include "names.hpp"

#include "svi/data/text_reader.hpp"

namespace svi::data {

namespace {

std::string_view column_of(const TextReader& reader, std::int64_t column) {
  std::string_view rest = reader.line();
  for (std::int64_t skipped = 1; skipped < column; ++skipped) {
    const std::size_t tab = rest.find('\t');
    if (tab == std::string_view::npos) {
      throw reader.problem("has {} columns between tabs, expected at least {}", skipped, column);
    }
    rest.remove_prefix(tab + 1);
  }
  return column == 0 ? rest : rest.substr(0, rest.find('\t'));
}

}  // namespace

std::vector<std::string> read_names(const std::string& path, std::int64_t column, const char* what) {
  TextReader reader(path);
  std::vector<std::string> names;
  while (reader.next()) {
    const std::string_view name = column_of(reader, column);
    if (name.empty()) throw reader.problem("is empty, expected {}", what);
    if (name.find('\0') != std::string_view::npos)
      throw reader.problem("holds a zero byte, expected {}", what);
    names.emplace_back(name);
  }
  if (names.empty()) throw Error(ExitCode::bad_data, "{}: is empty, expected {} a line", path, what);
  return names;
}

std::vector<std::string> vocabulary_or_numbers(const CountFiles& files, std::int64_t size,
                                               std::int64_t first) {
  if (!files.vocabulary.empty()) return read_names(files.vocabulary, files.names_column, "a word");
  std::vector<std::string> numbers;
  for (std::int64_t i = first; i < first + size; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

std::vector<std::string> document_ids_or_none(const CountFiles& files, std::int64_t documents) {
  if (files.document_ids.empty()) return {};
  auto ids = read_names(files.document_ids, files.names_column, "an id");
  if (std::ssize(ids) != documents) {
    throw Error(ExitCode::bad_data, "{}: has {} ids, but {} has {} documents", files.document_ids, ids.size(),
                files.input, documents);
  }
  return ids;
}

}  // namespace svi::data
