#include "svi/optim/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "svi/base/error.hpp"

namespace svi {

void ScheduleOptions::describe(OptionSet& options) {
  options.choice("schedule", schedule, {"constant", "cosine", "exponential", "piecewise"},
                 "the learning rate after the warm-up");
  options.integer("warmup_steps", warmup_steps, Range::at_least(0), "steps",
                  "linear warm-up from 1/warmup_steps; 0: none");
  options.real("final_factor", final_factor, Range::between(0, 1), "",
               "cosine: what is left at the last step");
  options.real("decay_factor", decay_factor, {.lowest = 0, .highest = 1, .lowest_is_open = true}, "",
               "exponential: factor per decay_steps");
  options.integer("decay_steps", decay_steps, Range::at_least(1), "steps",
                  "exponential: steps per decay_factor");
  options.reals("piece_factors", piece_factors, Range::at_least(0), "",
                "piecewise: what learning_rate is multiplied by in each piece; the last one stays");
  options.integers("piece_epochs", piece_epochs, Range::between(1, 1e9), "epochs",
                   "piecewise: the pieces' lengths, one for each factor");
  options.integers("piece_steps", piece_steps, Range::between(1, 1e12), "steps", "in place of piece_epochs");
}

namespace {

void require_pieces(const ScheduleOptions& options) {
  const bool by_steps = !options.piece_steps.empty();
  if (options.schedule != "piecewise") {
    const char* key = by_steps                         ? "piece_steps"
                      : !options.piece_epochs.empty()  ? "piece_epochs"
                      : !options.piece_factors.empty() ? "piece_factors"
                                                       : nullptr;
    if (key == nullptr) return;
    throw Error(ExitCode::bad_config,
                "optimizer.{} has no effect with optimizer.schedule: {}; set that to piecewise", key,
                options.schedule);
  }
  if (by_steps == !options.piece_epochs.empty()) {
    throw Error(ExitCode::bad_config,
                "optimizer.schedule: piecewise needs the pieces' lengths, in optimizer.piece_epochs or in "
                "optimizer.piece_steps; {}",
                by_steps ? "both are given" : "there are none");
  }
  const std::size_t lengths = by_steps ? options.piece_steps.size() : options.piece_epochs.size();
  if (lengths == options.piece_factors.size()) return;
  throw Error(ExitCode::bad_config,
              "optimizer.{} has {} lengths, but optimizer.piece_factors {} factors; give one for each piece",
              by_steps ? "piece_steps" : "piece_epochs", lengths, options.piece_factors.size());
}

std::vector<std::int64_t> ends_of(const ScheduleOptions& options, std::int64_t steps_per_epoch) {
  const bool by_steps = !options.piece_steps.empty();
  std::vector<std::int64_t> ends;
  std::int64_t end = 0;
  for (std::int64_t length : by_steps ? options.piece_steps : options.piece_epochs) {
    const std::int64_t steps = by_steps ? 1 : steps_per_epoch;
    if (__builtin_mul_overflow(length, steps, &length) || __builtin_add_overflow(end, length, &end))
      end = std::numeric_limits<std::int64_t>::max();
    ends.push_back(end);
  }
  return ends;
}

}  // namespace

Schedule::Schedule(ScheduleOptions options, const RunLength& length)
    : options_(std::move(options)), total_steps_(length.total_steps) {
  require_pieces(options_);
  piece_ends_ = ends_of(options_, length.steps_per_epoch);
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
  if (options_.schedule == "piecewise") {
    const auto end = std::ranges::upper_bound(piece_ends_, step - options_.warmup_steps);
    const auto piece = static_cast<std::size_t>(end - piece_ends_.begin());
    return options_.piece_factors[std::min(piece, options_.piece_factors.size() - 1)];
  }
  return 1;
}

std::string Schedule::warning() const {
  if (total_steps_ == 0) return "";
  const auto text = [this](const char* what, std::int64_t step) {
    return fmt::format("optimizer.{} would come only after step {}, but the run ends at step {}", what, step,
                       total_steps_);
  };
  if (options_.warmup_steps > total_steps_)
    return text("warmup_steps: the whole learning rate", options_.warmup_steps);
  for (std::size_t i = 1; i < piece_ends_.size(); ++i) {
    const std::int64_t first = options_.warmup_steps + piece_ends_[i - 1];
    if (first >= total_steps_)
      return text(fmt::format("piece_factors: piece {} of {}", i + 1, piece_ends_.size()).c_str(), first);
  }
  return "";
}

}  // namespace svi
