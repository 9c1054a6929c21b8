#pragma once

#include <cstdint>

#include "svi/base/random.hpp"

namespace svi {

/// A draw from Gamma(shape, 1), shape ≥ 1, by Marsaglia and Tsang 2000, keyed by (purpose, step, datum).
/// Attempt i uses draws 4i … 4i + 3. **Local.**
double gamma_draw(double shape, const Philox& noise, Purpose purpose, std::uint64_t step,
                  std::uint64_t datum);

}  // namespace svi
