#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "svi/core/minibatch.hpp"

namespace svi::data {

/// The number that each word of `theirs` has in `ours`, −1 where it has none. Where both lists are the same
/// every word keeps its number, even if it stands there twice.
/// @param key names the list of theirs in messages
/// @throws Error (bad_data) when the lists differ and one of them holds a word twice
std::vector<std::int32_t> match_words(const std::vector<std::string>& theirs,
                                      const std::vector<std::string>& ours, const std::string& key);

/// The rows with other word numbers, ascending in each row; words whose number is −1 leave.
/// @param numbers the new number of each word; no two words get the same
CountRows renumbered(const CountRows& rows, std::span<const std::int32_t> numbers);

}  // namespace svi::data
