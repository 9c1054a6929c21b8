#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "svi/core/minibatch.hpp"

namespace svi {

/// A set of word numbers as a bit field, so that ranks can unite theirs by one all-reduce. **Local.**
class WordSet {
 public:
  WordSet() = default;
  explicit WordSet(std::int64_t vocabulary) : bits_(static_cast<std::size_t>((vocabulary + 63) / 64), 0) {}

  void add(std::span<const std::int32_t> words);
  void add(const CountRows& rows) { add(std::span(rows.words)); }
  void clear();
  /// The words, ascending.
  std::vector<std::int32_t> words() const;
  /// Bit v % 64 of number v / 64 is word v.
  std::span<std::uint64_t> bits() { return bits_; }

 private:
  std::vector<std::uint64_t> bits_;
};

}  // namespace svi
