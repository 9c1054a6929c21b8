#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

#include "svi/base/cpu_versions.hpp"

/// Special functions written without branches, so that a loop marked `omp simd` over them vectorises.
///
/// Errors, relative to max(1, |result|), over [1e-12, 1e12]: float below 1e-6 (exp: relative, below 2e-7),
/// double below 2e-14. The tests hold them against the C library and a slow series. **Local.**
namespace svi::math {

/// exp(x) in float32; arguments below −87 give exp(−87) = 1.6e-38, above 88 exp(88): never 0, never infinite.
SVI_INLINE float exp(float x) {
  x = x < -87.0F ? -87.0F : x;
  x = x > 88.0F ? 88.0F : x;
  // x = n·ln 2 + r with |r| ≤ ln 2 / 2; adding 1.5·2^23 rounds to the nearest whole number.
  constexpr float round = 12582912.0F;
  const float n = (x * 1.44269504F + round) - round;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const auto exponent = static_cast<std::int32_t>(n) << 23;
  return std::bit_cast<float>(std::bit_cast<std::int32_t>(p) + exponent);
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

/// A sum of reciprocals and a product that shift an argument upwards by six:
/// ψ(x) = ψ(x + 6) − Σ 1/(x + i), ln Γ(x) = ln Γ(x + 6) − ln Π (x + i), i = 0 … 5.
/// With t = x(x + 5) the six factors pair up to t, t + 4, t + 6, so one division suffices.
template <std::floating_point Real>
struct ShiftBySix {
  Real reciprocals;
  Real product;
};

template <std::floating_point Real>
SVI_INLINE ShiftBySix<Real> shift_by_six(Real x) {
  const Real t = x * (x + Real(5));
  const Real product = t * (t + Real(4)) * (t + Real(6));
  const Real numerator = (Real(2) * x + Real(5)) * ((Real(3) * t + Real(20)) * t + Real(24));
  return {numerator / product, product};
}

/// From which argument on the asymptotic series below is exact to the type's precision.
template <std::floating_point Real>
inline constexpr Real asymptotic_from = std::same_as<Real, float> ? Real(6) : Real(12);

/// ψ(y) for y ≥ asymptotic_from: ln y − 1/(2y) − Σ B_2n / (2n y^2n) (Abramowitz and Stegun 6.3.18).
template <std::floating_point Real>
SVI_INLINE Real digamma_asymptotic(Real y) {
  const Real inverse = Real(1) / y;
  const Real w = inverse * inverse;
  Real series = Real(-1.0 / 252);
  if constexpr (std::same_as<Real, double>) {
    series = 1.0 / 12;
    series = series * w - 691.0 / 32760;
    series = series * w + 1.0 / 132;
    series = series * w - 1.0 / 240;
    series = series * w + 1.0 / 252;
    series = -series;
  }
  series = series * w + Real(1.0 / 120);
  series = series * w - Real(1.0 / 12);
  return log(y) - Real(0.5) * inverse + w * series;
}

/// The digamma function ψ(x) for x > 0.
template <std::floating_point Real>
SVI_INLINE Real digamma(Real x) {
  Real y = x;
  Real reciprocals = 0;
  for (Real reached = 0; reached < asymptotic_from<Real>; reached += Real(6)) {
    const bool is_small = y < asymptotic_from<Real>;
    reciprocals += is_small ? shift_by_six(is_small ? y : Real(1)).reciprocals : Real(0);
    y = is_small ? y + Real(6) : y;
  }
  return digamma_asymptotic(y) - reciprocals;
}

/// ln Γ(x) for x > 0, float64 alone: in float32 the two logarithms that cancel would leave five digits.
/// At y ≥ 12: (y − ½) ln y − y + ½ ln 2π + Σ B_2n / (2n(2n−1) y^(2n−1)) (A. and S. 6.1.41).
SVI_INLINE double log_gamma(double x) {
  double y = x;
  double product = 1;
  for (double reached = 0; reached < asymptotic_from<double>; reached += 6) {
    const bool is_small = y < asymptotic_from<double>;
    product *= is_small ? shift_by_six(is_small ? y : 1.0).product : 1.0;
    y = is_small ? y + 6 : y;
  }
  const double inverse = 1 / y;
  const double w = inverse * inverse;
  double series = -691.0 / 360360;
  series = series * w + 1.0 / 1188;
  series = series * w - 1.0 / 1680;
  series = series * w + 1.0 / 1260;
  series = series * w - 1.0 / 360;
  series = series * w + 1.0 / 12;
  return (y - 0.5) * log(y) - y + 0.918938533204672742 + inverse * series - log(product);
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
