#pragma once

#include <cstdint>

#include "svi/base/random.hpp"

namespace svi {

/// How many of a word's occurrences in a held-out document belong to the observed half.
///
/// Document completion (Wallach et al. 2009): occurrence i of word w in document d is observed when
/// hash(split_seed, d, w, i) is even, else predicted. `svi-data split` writes the same halves for other
/// tools.
/// @param count occurrences of the word, ≥ 0. Cost O(count / 4) Philox blocks. **Local.**
std::int64_t observed_occurrences(std::uint64_t split_seed, std::int64_t document, std::int64_t word,
                                  std::int64_t count);

}  // namespace svi
