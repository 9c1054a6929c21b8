#pragma once

#include <string>
#include <vector>

#include "svi/core/minibatch.hpp"

namespace svi::data {

/// Word counts with the names of their rows and columns: what imports make and `write_counts` writes.
struct Corpus {
  CountRows rows;
  std::vector<std::string> vocabulary;    ///< [V]
  std::vector<std::string> document_ids;  ///< [N], or empty: then the row numbers
};

/// "3 documents, 2 words, 3 entries, 9 tokens", for a person.
std::string corpus_text(const Corpus& corpus);

/// Ends a row whose entries were appended to `words` and `counts`: sorts them by word.
/// @return a word that the row names twice, or −1
std::int64_t end_row(CountRows& rows);

}  // namespace svi::data
