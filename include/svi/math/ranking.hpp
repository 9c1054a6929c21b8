#pragma once

#include <span>
#include <vector>

namespace svi::math {

/// The area under the ROC curve: the share of the pairs (one of `positives`, one of `negatives`) in which the
/// positive has the higher score, ties counted half (Mann and Whitney 1947). Exact, by ranks: O(n ln n).
/// @param positives, negatives scores, neither empty, none NaN. **Local.**
double roc_auc(std::span<const double> positives, std::span<const double> negatives);

/// The share of `reference` that is lower than each value: [values]. **Local.**
/// @param reference not empty, any order
std::vector<double> share_below(std::span<const double> values, std::span<const double> reference);

}  // namespace svi::math
