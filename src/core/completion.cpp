#include "svi/core/completion.hpp"

#include <algorithm>

namespace svi {

std::int64_t observed_occurrences(std::uint64_t split_seed, std::int64_t document, std::int64_t word,
                                  std::int64_t count) {
  const Philox philox(split_seed);
  std::int64_t observed = 0;
  for (std::int64_t first = 0; first < count; first += 4) {
    const auto words =
        philox.words(Purpose::completion_half, static_cast<std::uint64_t>(word),
                     static_cast<std::uint64_t>(document), static_cast<std::uint64_t>(first / 4));
    for (std::int64_t i = 0; i < std::min<std::int64_t>(4, count - first); ++i) {
      observed += words[static_cast<std::size_t>(i)] % 2 == 0 ? 1 : 0;
    }
  }
  return observed;
}

}  // namespace svi
