#pragma once

#include <cstdint>
#include <functional>

#include "svi/core/parameter_set.hpp"
#include "svi/core/sums.hpp"

namespace svi {

/// What a rank adds to one step: sums over its rows, never means (design: Hoffman et al. 2013, eq. 27).
///
/// `statistics` has the layout of the parameters: expected sufficient statistics (LDA) or the summed gradient
/// of the ELBO (VAE). `terms` holds the parts of the ELBO. After the all-reduce the same object holds the
/// totals of the global minibatch. **Local.**
class Contribution {
 public:
  Contribution(ParameterSet statistics, SumLayout terms);

  ParameterSet statistics;  ///< [P]
  Sums terms;               ///< always with "rows": the number of data points added up
  /// Zeroes everything for the next step.
  void clear();

  /// Called by a model as soon as elements [first, last) of `statistics.flat()` are final, so that their
  /// reduction may start while the rest is computed. Every rank announces the same ranges in the same order,
  /// one without rows too; together they cover everything once, or there is none.
  void mark_ready(std::int64_t first, std::int64_t last);
  /// Who is told; set by the trainer for one step.
  std::function<void(std::int64_t first, std::int64_t last)> on_ready;
};

}  // namespace svi
