#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>

#include "svi/base/cpu_versions.hpp"

/// exp, log and softplus written without branches, so that a loop marked `omp simd` over them vectorises.
///
/// Errors, relative to max(1, |result|) (exp: relative): float below 2e-7, double below 2e-15. The tests hold
/// them against the C library. **Local.**
namespace svi::math {

/// 2^power · exp(x) in float32, where that is between 1.6e-38 and 1.6e38.
template <int power>
SVI_INLINE float scaled_exp(float x) {
  // x = n·ln 2 + r with |r| ≤ ln 2 / 2; adding 1.5·2^23 rounds to the nearest whole number.
  constexpr float round = 12582912.0F;
  const float n = (x * 1.44269504F + round) - round;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  // 1 + r + r² (p_0 + p_1 r + … + p_5 r^5) by pairs (Estrin): as many operations as one after another, which
  // would take twice as long where little else is to be done meanwhile.
  const float r2 = r * r;
  const float p01 = 1.6666665459e-1F * r + 5.0000001201e-1F;
  const float p23 = 8.3334519073e-3F * r + 4.1665795894e-2F;
  const float p45 = 1.9875691500e-4F * r + 1.3981999507e-3F;
  const float p = ((p45 * r2 + p23) * r2 + p01) * r2 + r + 1.0F;
  const auto exponent = (static_cast<std::int32_t>(n) + power) << 23;
  return std::bit_cast<float>(std::bit_cast<std::int32_t>(p) + exponent);
}

/// exp(x) in float32; arguments below −87 give exp(−87) = 1.6e-38, above 88 exp(88): never 0, never infinite.
SVI_INLINE float exp(float x) {
  x = -87.0F > x ? -87.0F : x;
  x = 88.0F < x ? 88.0F : x;
  return scaled_exp<0>(x);
}

/// exp(x) in float64; arguments below −708 give exp(−708), above 709 exp(709): never 0, never infinite.
SVI_INLINE double exp(double x) {
  x = x < -708.0 ? -708.0 : x;
  x = x > 709.0 ? 709.0 : x;
  constexpr double round = 6755399441055744.0;  // 1.5·2^52
  const double n = (x * 1.44269504088896340736 + round) - round;
  const double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double p = 1.0 / 6227020800;  // Taylor's series: |r| ≤ ln 2 / 2, r^14 / 14! < 1e-17
  p = p * r + 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r * r + r + 1.0;
  const auto exponent = static_cast<std::int64_t>(n) << 52;
  return std::bit_cast<double>(std::bit_cast<std::int64_t>(p) + exponent);
}

/// log(x) in float32 for normal positive x (polynomial of Moshier's Cephes library).
SVI_INLINE float log(float x) {
  // x = m·2^e with m in [√½, √2).
  const auto bits = std::bit_cast<std::int32_t>(x) - 0x3f3504f3;
  const auto e = static_cast<float>(bits >> 23);
  const float m = std::bit_cast<float>((bits & 0x007fffff) + 0x3f3504f3) - 1.0F;
  const float z = m * m;
  float p = 7.0376836292e-2F;
  p = p * m - 1.1514610310e-1F;
  p = p * m + 1.1676998740e-1F;
  p = p * m - 1.2420140846e-1F;
  p = p * m + 1.4249322787e-1F;
  p = p * m - 1.6668057665e-1F;
  p = p * m + 2.0000714765e-1F;
  p = p * m - 2.4999993993e-1F;
  p = p * m + 3.3333331174e-1F;
  const float y = p * m * z - 2.12194440e-4F * e - 0.5F * z;
  return m + y + 0.693359375F * e;
}

/// log(x) in float64 for normal positive x: s = f/(2+f), log(1+f) = 2s + s·R(s²) with the minimax R of
/// fdlibm.
SVI_INLINE double log(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x) - 0x3fe6a09e667f3bcd;
  const auto e = static_cast<double>(bits >> 52);
  const double f = std::bit_cast<double>((bits & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd) - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double r = 1.479819860511658591e-01;
  r = r * z + 1.531383769920937332e-01;
  r = r * z + 1.818357216161805012e-01;
  r = r * z + 2.222219843214978396e-01;
  r = r * z + 2.857142874366239149e-01;
  r = r * z + 3.999999999940941908e-01;
  r = r * z + 6.666666666666735130e-01;
  r = r * z;
  const double half_square = 0.5 * f * f;
  const double tail = s * (half_square + r) + e * 1.90821492927058770002e-10;
  return e * 6.93147180369123816490e-01 - ((half_square - tail) - f);
}

/// ln(1 + exp(x)) and its derivative, the logistic function, from one exponential; exact at both ends.
template <std::floating_point Real>
struct Softplus {
  Real value;
  Real derivative;
};

SVI_INLINE Softplus<float> softplus(float x) {
  const float e = exp(-std::fabs(x));  // in (0, 1]
  const float inverse = 1.0F / (1.0F + e);
  // ln(1 + e): the float nearest 1 + e loses what log's argument needs; ratio restores it (Kahan's log1p).
  const float one_plus = 1.0F + e;
  const float rest = e - (one_plus - 1.0F);
  const float value = (x > 0.0F ? x : 0.0F) + log(one_plus) + rest * inverse;
  return {value, x >= 0.0F ? inverse : e * inverse};
}

inline Softplus<double> softplus(double x) {
  const double e = std::exp(-std::fabs(x));
  const double inverse = 1.0 / (1.0 + e);
  return {(x > 0 ? x : 0) + std::log1p(e), x >= 0 ? inverse : e * inverse};
}

}  // namespace svi::math
