#include "svi/distributions/gamma.hpp"

#include <cmath>
#include <numbers>

namespace svi {

double gamma_draw(double shape, const Philox& noise, Purpose purpose, std::uint64_t step,
                  std::uint64_t datum) {
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (std::uint64_t attempt = 0;; ++attempt) {
    const auto words = noise.words(purpose, step, datum, attempt);
    const auto uniform = [&](std::size_t i) {
      return (static_cast<double>(words[i] >> 11) + 0.5) * 0x1.0p-53;
    };
    const double normal = std::sqrt(-2 * std::log(uniform(0))) * std::cos(2 * std::numbers::pi * uniform(1));
    const double v = std::pow(1 + c * normal, 3);
    if (v > 0 && std::log(uniform(2)) < 0.5 * normal * normal + d - d * v + d * std::log(v)) return d * v;
  }
}

}  // namespace svi
