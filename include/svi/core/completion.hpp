#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "svi/base/random.hpp"

namespace svi {

/// Which of a held-out document's tokens are observed; the others are predicted from them.
///
/// - `tokens` (Wallach et al. 2009): occurrence i of word w in document d is observed when hash(split_seed, d,
///   w, i) is even;
/// - `etm` (Dieng, Ruiz, Blei 2020): the first ⌊L/2⌋ of a document's L tokens. Their code cuts texts in reading
///   order (token i from 0 is observed when i ≤ L/2 − 1) and leaves out documents of one token; here such a
///   document is observed whole. A file of counts keeps no reading order: its tokens lie in the order of the
///   word numbers, so that published figures are met only where the words are numbered without meaning;
/// - `even_odd`: every occurrence of the words of even number.
enum class Completion { tokens, etm, even_odd };

/// The values of `evaluation.completion`, in the order of the enumeration.
inline const std::vector<std::string> completion_names{"tokens", "etm", "even_odd"};
/// @throws Error (usage) naming the known ones
Completion completion_named(const std::string& name);

/// How many of a word's occurrences are observed by `Completion::tokens`.
/// @param count occurrences of the word, ≥ 0. Cost O(count / 4) Philox blocks. **Local.**
std::int64_t observed_occurrences(std::uint64_t split_seed, std::int64_t document, std::int64_t word,
                                  std::int64_t count);

/// How many occurrences of each of a document's words are observed: [words], each at most its count.
/// @param words in the order of the file @param counts whole numbers. **Local.**
std::vector<std::int64_t> observed_half(Completion completion, std::uint64_t split_seed,
                                        std::int64_t document, std::span<const std::int32_t> words,
                                        std::span<const float> counts);

}  // namespace svi
