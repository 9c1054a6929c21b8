#pragma once

#include <cstdint>
#include <string>

#include "svi/base/options.hpp"

namespace svi {

struct ScheduleOptions {
  std::string schedule = "constant";
  std::int64_t warmup_steps = 0;
  double final_factor = 0.0;
  double decay_factor = 0.95;
  std::int64_t decay_steps = 1000;

  void describe(OptionSet& options);
};

/// The factor on the learning rate at each step, a pure function of the step.
///
/// A linear warm-up (t + 1)/warmup_steps over the first steps t, then: `constant` 1; `cosine` from 1 to
/// final_factor at the run's last step (Loshchilov and Hutter 2017, eq. 5, one period); `exponential`
/// decay_factor^(steps since the warm-up / decay_steps). **Local.**
class Schedule {
 public:
  /// @param total_steps of the run; only `cosine` depends on it
  Schedule(const ScheduleOptions& options, std::int64_t total_steps)
      : options_(options), total_steps_(total_steps) {}

  double factor(std::int64_t step) const;
  /// Whether a change of the run's length would change steps already taken.
  bool depends_on_total_steps() const { return options_.schedule == "cosine"; }

 private:
  ScheduleOptions options_;
  std::int64_t total_steps_;
};

}  // namespace svi
