#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "svi/core/minibatch.hpp"

namespace svi::data {

/// Word counts with the names of their rows and columns, in memory: what texts become.
struct Corpus {
  CountRows rows;
  std::vector<std::string> vocabulary;    ///< [V]
  std::vector<std::string> document_ids;  ///< [N], or empty: then the row numbers
};

/// What an import has written.
struct CountsSummary {
  std::int64_t documents = 0;  ///< N
  std::int64_t words = 0;      ///< V
  std::int64_t entries = 0;    ///< nonzeros
  double tokens = 0;           ///< sum of all counts
};

/// "3 documents, 2 words, 3 entries, 9 tokens", for a person.
std::string counts_text(const CountsSummary& summary);

/// Ends a row whose entries were appended to `words` and `counts`: sorts them by word.
/// @return a word that the row names twice, or −1
std::int64_t end_row(CountRows& rows);

}  // namespace svi::data
