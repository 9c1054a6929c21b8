#include "svi/math/ranking.hpp"

#include <algorithm>

namespace svi::math {

double roc_auc(std::span<const double> positives, std::span<const double> negatives) {
  std::vector<double> sorted(negatives.begin(), negatives.end());
  std::sort(sorted.begin(), sorted.end());
  double pairs = 0;  // twice as many as are in order: whole numbers, and so without rounding
  for (const double score : positives) {
    const auto [lower, upper] = std::equal_range(sorted.begin(), sorted.end(), score);
    pairs += static_cast<double>((lower - sorted.begin()) + (upper - sorted.begin()));
  }
  return 0.5 * pairs / (static_cast<double>(positives.size()) * static_cast<double>(negatives.size()));
}

std::vector<double> share_below(std::span<const double> values, std::span<const double> reference) {
  std::vector<double> sorted(reference.begin(), reference.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> shares;
  shares.reserve(values.size());
  for (const double value : values) {
    const auto below = std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
    shares.push_back(static_cast<double>(below) / static_cast<double>(sorted.size()));
  }
  return shares;
}

}  // namespace svi::math
