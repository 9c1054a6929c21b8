#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "svi/data/corpus.hpp"
#include "svi/data/tokens.hpp"

namespace svi::data {

/// How texts become counts: which tokens are words, and which words stay.
struct TextOptions {
  std::string stop_words = "english";  ///< "english", "none" or a file
  std::int64_t shortest = 2;           ///< letters of a word, at least
  std::int64_t min_df = 5;             ///< documents that have the word, at least
  double max_df = 0.5;                 ///< fraction of all documents that have the word, at most
  std::int64_t keep = 0;               ///< the words in the most documents; 0: all
};

/// Documents that become a corpus once all of them are known. **Local.**
///
/// Holds four bytes a token and each distinct word once.
class CorpusBuilder {
 public:
  /// @throws Error (missing_input) when the stop words are a file that is not there
  explicit CorpusBuilder(TextOptions options);

  /// Begins a document; `add` appends to the last one begun.
  void begin(std::string id);
  void add(std::string_view text);

  std::int64_t documents() const { return static_cast<std::int64_t>(ids_.size()); }

  /// Prunes by document frequency and counts. The vocabulary is in alphabetical (byte) order; of words in
  /// equally many documents `keep` prefers the alphabetically first. Documents left without a word stay as
  /// empty rows.
  /// @throws Error (bad_data) when there is no document, or no word is left
  Corpus finish();

 private:
  std::vector<std::int64_t> document_frequencies() const;
  std::vector<std::int32_t> kept(const std::vector<std::string_view>& words) const;
  CountRows counted(const std::vector<std::int32_t>& column) const;

  TextOptions options_;
  StopWords stop_words_;
  std::vector<std::string> ids_;
  std::unordered_map<std::string, std::int32_t> numbers_;  // of each distinct word, in order of appearance
  std::vector<std::int32_t> tokens_;                       // of all documents
  std::vector<std::int64_t> starts_;                       // [N] of each document
};

/// One document a file, named as the path was given. @throws Error (missing_input), see CorpusBuilder
Corpus import_text_files(const std::vector<std::string>& paths, const TextOptions& options);

/// One document a line, of each file in turn; empty lines are empty documents. Ids are the row numbers.
Corpus import_text_lines(const std::vector<std::string>& paths, const TextOptions& options);

/// One JSON object a line, the text in one of its members.
struct JsonlOptions {
  std::string field = "text";  ///< member that holds the text
  std::string id_field;        ///< member that holds the id, a text or a number; empty: the row numbers
};

/// @throws Error (bad_data) naming file and line: not an object, no such member, member of another type
Corpus import_jsonl(const std::vector<std::string>& paths, const JsonlOptions& jsonl,
                    const TextOptions& options);

}  // namespace svi::data
