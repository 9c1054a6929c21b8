#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "svi/base/options.hpp"

namespace svi {

/// How long a run is, for schedules. 0: not to be trained.
struct RunLength {
  std::int64_t total_steps = 0;
  std::int64_t steps_per_epoch = 0;
};

struct ScheduleOptions {
  std::string schedule = "constant";
  std::int64_t warmup_steps = 0;
  double final_factor = 0.0;
  double decay_factor = 0.95;
  std::int64_t decay_steps = 1000;
  std::vector<double> piece_factors;
  std::vector<std::int64_t> piece_epochs;
  std::vector<std::int64_t> piece_steps;

  void describe(OptionSet& options);
};

/// The factor on the learning rate at each step, a pure function of the step.
///
/// A linear warm-up (t + 1)/warmup_steps over the first steps t, then: `constant` 1; `cosine` from 1 to
/// final_factor at the run's last step (Loshchilov and Hutter 2017, eq. 5, one period); `exponential`
/// decay_factor^(steps since the warm-up / decay_steps); `piecewise` the factor of the piece that the steps
/// since the warm-up are in, after all pieces that of the last. **Local.**
class Schedule {
 public:
  /// @param length only `cosine` depends on its total
  /// @throws Error (bad_config) on pieces that contradict each other
  Schedule(ScheduleOptions options, const RunLength& length);

  double factor(std::int64_t step) const;
  /// Whether a change of the run's length would change steps already taken.
  bool depends_on_total_steps() const { return options_.schedule == "cosine"; }
  /// What of it begins only after the run's end, one line; empty: nothing.
  std::string warning() const;

 private:
  ScheduleOptions options_;
  std::int64_t total_steps_;
  std::vector<std::int64_t> piece_ends_;  // steps since the warm-up
};

}  // namespace svi
