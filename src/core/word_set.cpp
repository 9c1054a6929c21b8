#include "svi/core/word_set.hpp"

#include <algorithm>
#include <bit>

namespace svi {

void WordSet::add(std::span<const std::int32_t> words) {
  for (const std::int32_t word : words)
    bits_[static_cast<std::size_t>(word / 64)] |= std::uint64_t{1} << (word % 64);
}

void WordSet::clear() { std::fill(bits_.begin(), bits_.end(), 0); }

std::vector<std::int32_t> WordSet::words() const {
  std::vector<std::int32_t> list;
  for (std::size_t i = 0; i < bits_.size(); ++i) {
    for (std::uint64_t rest = bits_[i]; rest != 0; rest &= rest - 1)
      list.push_back(static_cast<std::int32_t>(64 * i) + std::countr_zero(rest));
  }
  return list;
}

}  // namespace svi
