#pragma once

#include <cstdint>
#include <vector>

#include "svi/core/minibatch.hpp"

namespace svi::test {

/// Document d has the words w with (7d + w) mod 5 = 0, each as often as (d + w) mod 3 + 1 says; every tenth
/// is empty.
inline CountRows documents(std::int64_t count, std::int32_t words) {
  CountRows rows;
  for (std::int64_t d = 0; d < count; ++d) {
    for (std::int32_t w = 0; w < words && d % 10 != 3; ++w) {
      if ((7 * d + w) % 5 != 0) continue;
      rows.words.push_back(w);
      rows.counts.push_back(static_cast<float>((d + w) % 3 + 1));
    }
    rows.starts.push_back(std::ssize(rows.words));
  }
  return rows;
}

/// Row i of the training rows is row 3i + 1 of the file.
inline std::vector<std::int64_t> every_third(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) rows[static_cast<std::size_t>(i)] = 3 * i + 1;
  return rows;
}

}  // namespace svi::test
