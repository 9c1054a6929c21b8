#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lda_e_step.hpp"

namespace svi::lda {

/// What the E-step of one document gives, in float64.
struct ReferenceFit {
  std::vector<double> gamma;   ///< [K]
  std::vector<double> counts;  ///< expected counts c_n φ_nk [words, K]
  double bound = 0;            ///< nats
  std::int64_t iterations = 0;
};

/// The same E-step in float64 with φ written out in logarithms: slow and plain, for tests and for the rare
/// document that float32 cannot hold. Same stopping rule as `EStep`.
/// @param log_beta E[ln β] [words, K] @param counts [words] @param start γ [K]. **Local.**
ReferenceFit fit_reference(std::span<const double> log_beta, std::span<const float> counts,
                           std::span<const double> start, const EStepOptions& options);

}  // namespace svi::lda
