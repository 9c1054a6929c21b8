#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "svi/optim/update_rule.hpp"

namespace svi::trainer {

/// What to tell when a run's numbers are no longer finite, with what would keep them so.
/// @param what "the ELBO is" or "the parameters are" @param step updates completed before it showed
inline std::string divergence_text(const char* what, std::int64_t step, const UpdateRule& rule) {
  return fmt::format(
      "{} no longer finite after step {}: the run has diverged; earlier checkpoints are intact; {}, and look at "
      "the data's range",
      what, step, rule.against_divergence());
}

}  // namespace svi::trainer
