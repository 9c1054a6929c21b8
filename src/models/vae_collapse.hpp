#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "svi/models/model.hpp"

namespace svi::vae {

struct VaeOptions;

/// What is to be said of a window; mostly nothing.
struct Collapse {
  std::vector<std::int64_t> dimensions;  ///< those to be named, ascending
  std::int64_t named_before = 0;         ///< in the run, others
};

/// Notices latent dimensions that the decoder ignores, from the KL by dimension that every step adds up
/// anyway.
///
/// A window is as many steps as an epoch, at least 100 and at most 1,000. The first one, and those that begin
/// before the KL has its whole weight or capacity, are not judged. In any other a dimension counts as
/// collapsed when its mean KL is below 0.01 nats, and all of them do when the KL is below 0.1 nats in all. A
/// dimension is named once in a run, and those that come later wait until they are as many as were named
/// before: at most log₂ Z + 1 notices. **Local**, a function of the totals.
class CollapseMonitor {
 public:
  /// @param full_from the step from which the KL has its whole weight
  CollapseMonitor(std::int64_t latent, std::int64_t steps_per_epoch, std::int64_t full_from);

  SumLayout layout() const;
  /// To be called at every step, also at one that adds nothing: a window may end with it.
  /// @param step completed updates @param kl Σ over rows by dimension [Z] nats @param rows perhaps 0
  Collapse watch(std::int64_t step, std::span<const double> kl, double rows,
                 std::map<std::string, std::vector<double>>& watched) const;
  std::int64_t window() const { return window_; }

 private:
  Collapse judge(std::span<const double> kl, double rows, std::vector<double>& told) const;

  std::int64_t latent_;
  std::int64_t window_;
  std::int64_t full_from_;
};

/// What to say of collapsed dimensions: which, since when, and what to change, by the configuration's keys.
/// @param step the last one of the window
Notice collapse_notice(const VaeOptions& options, const Collapse& collapse, std::int64_t step,
                       std::int64_t window);

}  // namespace svi::vae
