#pragma once

#include <cstdint>

namespace svi {

/// What a word's prior in a topic, or in all of them, is beyond the common one.
struct WordPrior {
  static constexpr std::int32_t all_topics = -1;

  std::int32_t word = 0;
  std::int32_t topic = all_topics;
  double weight = 0;  ///< tokens, positive

  bool operator==(const WordPrior&) const = default;
};

}  // namespace svi
