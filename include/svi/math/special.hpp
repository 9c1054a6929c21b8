#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

#include "svi/base/cpu_versions.hpp"
#include "svi/math/exponential.hpp"

/// Special functions written without branches, so that a loop marked `omp simd` over them vectorises.
///
/// Errors, relative to max(1, |result|), over [1e-12, 1e12]: float below 1e-6 (exp: relative, below 2e-7),
/// double below 2e-14. The tests hold them against the C library and a slow series. **Local.**
namespace svi::math {

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

/// 2^45 exp(ψ(x)) in float32 for x in [1e-12, 1e12], without a logarithm: relative error below
/// 5e-7 + 3e-7/x from x = 0.0086 on (a rounding of ψ(x) ≈ −1/x); below that ψ(x) counts as −117, so that the
/// result is never 0.
///
/// exp ψ(x) = exp(ψ(x + 4)) exp(−Σ 1/(x + i)), i = 0 … 3, and exp ψ(y + ½) = y + 1/(24y) − 37/(5760y³) + …
/// (the series of A. and S. 6.3.18 put into the exponential).
SVI_INLINE float scaled_exp_digamma(float x) {
  // Beyond 2e7 all that follows from it is below 2e-7; at 0.008594 Σ 1/(x + i) is 118.18, the most that
  // scaled_exp takes being 118.19. Positive numbers are in the order of their bits, which take one
  // instruction each to compare and choose; a NaN comes out again through the factor x + 3.5.
  constexpr auto least = std::bit_cast<std::int32_t>(0.008594F);
  constexpr auto most = std::bit_cast<std::int32_t>(2e7F);
  auto bits = std::bit_cast<std::int32_t>(x);
  bits = bits < least ? least : bits;
  bits = bits > most ? most : bits;
  const auto bounded = std::bit_cast<float>(bits);
  const float u = bounded * (bounded + 3.0F);
  const float product = u * (u + 2.0F);
  const float y = bounded + 3.5F;
  const float inverse = 1.0F / (product * y);
  const float reciprocals = (2.0F * bounded + 3.0F) * (2.0F * u + 2.0F) * y * inverse;
  const float z = inverse * product;  // 1/y
  const float w = z * z;
  float series = 10313.0F / 2903040;
  series = series * w - 37.0F / 5760;
  series = series * w + 1.0F / 24;
  return (x + 3.5F + series * z) * scaled_exp<45>(-reciprocals);
}

/// The same in float64: relative error below 1e-12.
SVI_INLINE double scaled_exp_digamma(double x) { return exp(31.19162312519754 + digamma(x)); }

/// The trigamma function ψ'(x) for x > 0, float64, by its recurrence and series (A. and S. 6.4.12).
inline double trigamma(double x) {
  double shift = 0;
  for (; x < 12; x += 1) shift += 1 / (x * x);
  const double w = 1 / (x * x);
  const double series = 1.0 / 6 - w * (1.0 / 30 - w * (1.0 / 42 - w * (1.0 / 30 - w * 5.0 / 66)));
  return shift + 1 / x + w / 2 + w / x * series;
}

/// ln Γ(x) and ψ(x) for x > 0, which share their logarithm.
/// At y ≥ 12: ln Γ(y) = (y − ½) ln y − y + ½ ln 2π + Σ B_2n / (2n(2n−1) y^(2n−1)) (A. and S. 6.1.41).
template <std::floating_point Real>
struct LogGamma {
  Real value;
  Real digamma;
};

SVI_INLINE LogGamma<double> log_gamma_and_digamma(double x) {
  double y = x;
  double product = 1;
  double reciprocals = 0;
  for (double reached = 0; reached < asymptotic_from<double>; reached += 6) {
    const bool is_small = y < asymptotic_from<double>;
    const ShiftBySix<double> shift = shift_by_six(is_small ? y : 1.0);
    product *= is_small ? shift.product : 1.0;
    reciprocals += is_small ? shift.reciprocals : 0.0;
    y = is_small ? y + 6 : y;
  }
  const double inverse = 1 / y;
  const double w = inverse * inverse;
  const double logarithm = log(y);
  double gamma = -691.0 / 360360;
  gamma = gamma * w + 1.0 / 1188;
  gamma = gamma * w - 1.0 / 1680;
  gamma = gamma * w + 1.0 / 1260;
  gamma = gamma * w - 1.0 / 360;
  gamma = gamma * w + 1.0 / 12;
  return {(y - 0.5) * logarithm - y + 0.918938533204672742 + inverse * gamma - log(product),
          digamma_asymptotic(y) - reciprocals};
}

/// The same in float32, from y ≥ 4 on. The error of ln Γ is relative to max(1, x ln x) instead, as two
/// logarithms cancel; it adds up with others in a bound of that size.
SVI_INLINE LogGamma<float> log_gamma_and_digamma(float x) {
  const bool is_small = x < 1e4F;
  const float small = is_small ? x : 1.0F;
  const float u = small * (small + 3.0F);  // the four factors pair up to u and u + 2
  const float product = u * (u + 2.0F);
  const float reciprocals = (2.0F * small + 3.0F) * (2.0F * u + 2.0F) / product;
  const float y = is_small ? x + 4.0F : x;
  const float logarithm = log(y);
  const float inverse = 1.0F / y;
  const float w = inverse * inverse;
  const float gamma = (w * (1.0F / 1260) - 1.0F / 360) * w + 1.0F / 12;
  const float digamma = (w * (1.0F / 252) - 1.0F / 120) * w + 1.0F / 12;
  const float of_product = log(product);
  return {(y - 0.5F) * logarithm - y + 0.918938533F + inverse * gamma - (is_small ? of_product : 0.0F),
          logarithm - 0.5F * inverse - w * digamma - (is_small ? reciprocals : 0.0F)};
}

SVI_INLINE double log_gamma(double x) { return log_gamma_and_digamma(x).value; }

}  // namespace svi::math
