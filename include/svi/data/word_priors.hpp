#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "svi/core/word_prior.hpp"

namespace svi::data {

/// What a file says of the priors of words.
struct WordPriorFile {
  std::vector<WordPrior> priors;     ///< of words in the vocabulary, by word and topic
  std::vector<std::string> unknown;  ///< the other words, as they come
};

/// Reads lines "word<TAB>weight" (in all topics) and "word<TAB>topic<TAB>weight" (in one: a seed word), plain
/// or gzip. Empty lines and lines that start with '#' and hold no tab say nothing. **Local.**
/// @param vocabulary the model's words, by which words are matched @param topics K: topics are 0 to K − 1
/// @throws Error (missing_input), and (bad_data) naming file and line: other lines, a weight that is not
/// positive, the same word and topic again, no word of the vocabulary in the whole file
WordPriorFile read_word_priors(const std::string& path, const std::vector<std::string>& vocabulary,
                               std::int64_t topics);

}  // namespace svi::data
