#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace svi::data {

/// Rows whose label is seen, and the others.
struct LabelSplit {
  std::vector<std::int64_t> labelled;    ///< ascending
  std::vector<std::int64_t> unlabelled;  ///< ascending
  std::int64_t classes = 0;              ///< how many the labels are of
};

/// Chooses which rows keep their labels: a pure function of its arguments.
///
/// Each class gets a label in turn, the lowest first, while it has rows left, until `keep` are given: no
/// class has two more than another that has rows left. Of a class those rows keep theirs whose keyed number
/// (label_choice, row) is smallest. **Local.**
/// @param rows file rows that take part, ascending @param labels of every row of the file; below 0: unknown
/// @param keep how many; 0: every label that is known
/// @throws Error (bad_data) when no label is known, (bad_config) when `keep` is more than are known or less
/// than there are classes; both begin with `data.labels`
LabelSplit split_by_label(std::span<const std::int64_t> rows, std::span<const std::int64_t> labels,
                          std::int64_t keep, std::uint64_t seed);

}  // namespace svi::data
