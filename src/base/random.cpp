#include "svi/base/random.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace svi {

namespace {

__extension__ using uint128 = unsigned __int128;

double to_uniform(std::uint64_t word) { return static_cast<double>(word >> 11) * 0x1.0p-53; }

// One word gives two normal numbers; u1 lies in (0, 1], so the logarithm is finite.
template <typename Real>
void fill_normal_with(const Philox& philox, std::span<Real> values, Purpose purpose, std::uint64_t step,
                      std::uint64_t datum) {
  for (std::size_t first = 0; first < values.size(); first += 8) {
    const auto words = philox.words(purpose, step, datum, first / 8);
    for (std::size_t i = first; i < std::min(first + 8, values.size()); i += 2) {
      const std::uint64_t word = words[(i - first) / 2];
      const double u1 = (static_cast<double>(word >> 32) + 1) * 0x1.0p-32;
      const double u2 = static_cast<double>(word & 0xffffffffU) * 0x1.0p-32;
      const double radius = std::sqrt(-2 * std::log(u1));
      const double angle = 2 * std::numbers::pi * u2;
      values[i] = static_cast<Real>(radius * std::cos(angle));
      if (i + 1 < values.size()) values[i + 1] = static_cast<Real>(radius * std::sin(angle));
    }
  }
}

}  // namespace

std::array<std::uint64_t, 4> Philox::words(Purpose purpose, std::uint64_t step, std::uint64_t datum,
                                           std::uint64_t block) const {
  const r123::Philox4x64::ctr_type counter{{block, datum, step, 0}};
  const r123::Philox4x64::key_type key{{seed_, static_cast<std::uint64_t>(purpose)}};
  const auto result = r123::Philox4x64{}(counter, key);
  return {result[0], result[1], result[2], result[3]};
}

std::uint64_t Philox::word(Purpose purpose, std::uint64_t step, std::uint64_t datum,
                           std::uint64_t draw) const {
  return words(purpose, step, datum, draw / 4)[draw % 4];
}

double Philox::uniform(Purpose purpose, std::uint64_t step, std::uint64_t datum, std::uint64_t draw) const {
  return to_uniform(word(purpose, step, datum, draw));
}

std::uint64_t Philox::below(std::uint64_t bound, Purpose purpose, std::uint64_t step, std::uint64_t datum,
                            std::uint64_t draw) const {
  const auto product = static_cast<uint128>(word(purpose, step, datum, draw)) * bound;
  return static_cast<std::uint64_t>(product >> 64);
}

void Philox::fill_uniform(std::span<float> values, Purpose purpose, std::uint64_t step,
                          std::uint64_t datum) const {
  for (std::size_t first = 0; first < values.size(); first += 8) {
    const auto block = words(purpose, step, datum, first / 8);
    for (std::size_t i = first; i < std::min(first + 8, values.size()); ++i) {
      const std::uint64_t word = block[(i - first) / 2];
      const auto half = static_cast<std::uint32_t>((i & 1U) != 0 ? word >> 32 : word);
      values[i] = static_cast<float>(half >> 8) * 0x1.0p-24F;
    }
  }
}

void Philox::fill_normal(std::span<float> values, Purpose purpose, std::uint64_t step,
                         std::uint64_t datum) const {
  fill_normal_with(*this, values, purpose, step, datum);
}

void Philox::fill_normal(std::span<double> values, Purpose purpose, std::uint64_t step,
                         std::uint64_t datum) const {
  fill_normal_with(*this, values, purpose, step, datum);
}

}  // namespace svi
