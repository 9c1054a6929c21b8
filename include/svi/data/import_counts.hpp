#pragma once

#include <string>

#include "svi/data/corpus.hpp"

namespace svi::data {

/// Reads UCI's bag of words (Newman 2008): `docword.txt` with the header D, W, NNZ and NNZ lines
/// "document word count", both numbered from 1. Documents without a line stay as empty rows.
/// @param path plain or gzip
/// @param vocabulary_path a word a line, or empty: then the words are named by their number in the file
/// @throws Error (missing_input); (bad_data) naming file and line: header, numbers out of range, counts below
/// 1, more or fewer lines than announced, a word twice in a document, a vocabulary of other length
Corpus import_uci(const std::string& path, const std::string& vocabulary_path);

/// Reads LDA-C's format (Blei 2003): a document a line, "M word:count …" with M pairs, words numbered from 0.
/// @param vocabulary_path a word a line, or empty: then V is the highest number + 1
/// @throws Error as import_uci
Corpus import_lda_c(const std::string& path, const std::string& vocabulary_path);

/// A word a line. @throws Error (bad_data) at an empty line
std::vector<std::string> read_vocabulary(const std::string& path);

}  // namespace svi::data
