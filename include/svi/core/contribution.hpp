#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "svi/core/parameter_set.hpp"
#include "svi/core/sums.hpp"

namespace svi {

/// What a rank adds to one step: sums over its rows, never means (design: Hoffman et al. 2013, eq. 27).
///
/// `statistics` has the layout of the parameters, less the lazy matrix if there is one: expected sufficient
/// statistics or the summed gradient of the ELBO (VAE). `rows` are the statistics of the lazy matrix (LDA),
/// only those rows whose words occur in the global minibatch. `terms` holds the parts of the ELBO. After the
/// all-reduce the same object holds the totals of the global minibatch. **Local.**
class Contribution {
 public:
  /// @throws Error (internal) when more than one parameter is lazy
  Contribution(const std::vector<ParameterShape>& parameters, at::ScalarType type, SumLayout terms);

  ParameterSet statistics;  ///< [P]
  double factor = 1;        ///< what is meant is factor · statistics: saves a pass that multiplies them
  RowBlock rows;            ///< its rows are the same on every rank
  std::string lazy_name;    ///< the parameter that `rows` belong to; empty: none
  Sums terms;               ///< always with "rows": the number of data points added up
  /// ‖factor · statistics‖², by which a direction is clipped and found not to be finite; NaN until `measure`.
  double squared_norm = std::numeric_limits<double>::quiet_NaN();

  /// Makes it ready for the next step: terms are zero, statistics and `rows` hold anything, and a model
  /// writes every element of them.
  /// @param occurring the words of the global minibatch, ascending; none without a lazy matrix
  void clear(std::vector<std::int32_t> occurring = {});

  /// Finds the squared norm, summed in float64: not finite where an element is not.
  void measure();

  /// Called by a model as soon as elements [first, last) of `statistics.flat()` are final, so that their
  /// reduction may start while the rest is computed. Every rank announces the same ranges in the same order,
  /// one without rows too; together they cover everything once, or there is none.
  void mark_ready(std::int64_t first, std::int64_t last);
  /// Who is told; set by the trainer for one step.
  std::function<void(std::int64_t first, std::int64_t last)> on_ready;

 private:
  Tensor row_buffer_;  // [most rows so far, columns]
};

}  // namespace svi
