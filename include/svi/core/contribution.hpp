#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "svi/core/parameter_set.hpp"
#include "svi/core/shared_work.hpp"
#include "svi/core/sums.hpp"

namespace svi {

/// What a rank adds to one step: sums over its rows, never means (design: Hoffman et al. 2013, eq. 27).
///
/// `statistics` has the layout of the parameters, less the lazy matrix if there is one: expected sufficient
/// statistics or the summed gradient of the ELBO (VAE). `rows` are the statistics of the lazy matrix (LDA),
/// only those rows whose words occur in the global minibatch. `terms` holds the parts of the ELBO. After the
/// all-reduce the same object holds the totals of the global minibatch; of processes that share work, of this
/// one's part of the rows alone. **Local**, but what makes room for rows, of shared work **Collective**.
class Contribution {
 public:
  /// @param shared_work of processes that have memory in common, which must stay; null: rows are this one's
  /// own
  /// @throws Error (internal) when more than one parameter is lazy
  Contribution(const std::vector<ParameterShape>& parameters, at::ScalarType type, SumLayout terms,
               SharedWork* shared_work = nullptr);

  ParameterSet statistics;  ///< [P]
  double factor = 1;        ///< what is meant is factor · statistics: saves a pass that multiplies them
  RowBlock rows;            ///< the same rows on every rank, until a part of them is kept
  std::string lazy_name;    ///< the parameter that `rows` belong to; empty: none
  Sums terms;               ///< always with "rows": the number of data points added up
  /// ‖factor · statistics‖², by which a direction is clipped and found not to be finite; NaN until `measure`.
  double squared_norm = std::numeric_limits<double>::quiet_NaN();

  /// Makes it ready for the next step: terms are zero, statistics and `rows` hold anything, and a model
  /// writes every element of them.
  /// **Local**, of shared work **Collective**.
  /// @param occurring the words of the global minibatch, ascending; none without a lazy matrix
  void clear(std::vector<std::int32_t> occurring = {});

  /// Work that is done once for all processes of a machine; null: for each by itself.
  SharedWork* shared_work() const { return shared_work_; }
  /// Leaves this process' part of the rows, where a model that has all processes' sums may write them.
  /// **Local.**
  void keep_part();
  /// Where the processes have written sums over their data alone: adds them up, in the order of ranks, of
  /// this process' part of the rows, which is kept. Nothing after `keep_part`. **Collective.**
  void unite_rows();

  /// Finds the squared norm, summed in float64: not finite where an element is not.
  void measure();

  /// Called by a model as soon as elements [first, last) of `statistics.flat()` are final, so that their
  /// reduction may start while the rest is computed. Every rank announces the same ranges in the same order,
  /// one without rows too; together they cover everything once, or there is none.
  void mark_ready(std::int64_t first, std::int64_t last);
  /// Who is told; set by the trainer for one step.
  std::function<void(std::int64_t first, std::int64_t last)> on_ready;

 private:
  // The rows of one process, [rows, columns]; only with shared work.
  Tensor rows_of(int rank) const;

  SharedWork* shared_work_;
  bool is_united_ = false;  // `rows` are a part of all processes' sums
  Tensor row_buffer_;       // [most rows so far, columns]; of shared work empty
};

}  // namespace svi
