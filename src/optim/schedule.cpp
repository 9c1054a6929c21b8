#include "svi/optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace svi {

void ScheduleOptions::describe(OptionSet& options) {
  options.choice("schedule", schedule, {"constant", "cosine", "exponential"},
                 "the learning rate after the warm-up");
  options.integer("warmup_steps", warmup_steps, Range::at_least(0), "steps",
                  "linear warm-up from 1/warmup_steps; 0: none");
  options.real("final_factor", final_factor, Range::between(0, 1), "",
               "cosine: what is left at the last step");
  options.real("decay_factor", decay_factor, {.lowest = 0, .highest = 1, .lowest_is_open = true}, "",
               "exponential: factor per decay_steps");
  options.integer("decay_steps", decay_steps, Range::at_least(1), "steps",
                  "exponential: steps per decay_factor");
}

double Schedule::factor(std::int64_t step) const {
  if (step < options_.warmup_steps) {
    return static_cast<double>(step + 1) / static_cast<double>(options_.warmup_steps);
  }
  const auto since = static_cast<double>(step - options_.warmup_steps);
  if (options_.schedule == "exponential") {
    return std::pow(options_.decay_factor, since / static_cast<double>(options_.decay_steps));
  }
  if (options_.schedule == "cosine") {
    const auto length =
        static_cast<double>(std::max<std::int64_t>(1, total_steps_ - options_.warmup_steps - 1));
    const double progress = std::min(1.0, since / length);
    return options_.final_factor +
           (1 - options_.final_factor) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
  }
  return 1;
}

}  // namespace svi
