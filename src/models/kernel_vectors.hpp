// Vectors of the width SVI_VECTOR_BYTES, for files that are compiled once for each kind of processor: in the namespace
// SVI_KERNEL.

#include <cstdint>

#include "svi/base/cpu_versions.hpp"

namespace svi::vectors::SVI_KERNEL {

template <typename Real>
using Vector [[gnu::vector_size(SVI_VECTOR_BYTES), gnu::may_alias]] = Real;

template <typename Real>
inline constexpr std::int64_t lanes = SVI_VECTOR_BYTES / sizeof(Real);

template <typename Real>
SVI_INLINE Vector<Real>& vector_at(Real* values, std::int64_t v) {
  return reinterpret_cast<Vector<Real>*>(values)[v];
}
template <typename Real>
SVI_INLINE const Vector<Real>& vector_at(const Real* values, std::int64_t v) {
  return reinterpret_cast<const Vector<Real>*>(values)[v];
}

typedef float FourFloats [[gnu::vector_size(16), gnu::may_alias]];

SVI_INLINE FourFloats folded(const Vector<float>& a) {
#if SVI_VECTOR_BYTES == 64
  typedef float Eight [[gnu::vector_size(32)]];
  const Eight b = __builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7) +
                  __builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15);
  return __builtin_shufflevector(b, b, 0, 1, 2, 3) + __builtin_shufflevector(b, b, 4, 5, 6, 7);
#elif SVI_VECTOR_BYTES == 32
  return __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
#else
  return a;
#endif
}

template <typename Real>
using Four [[gnu::vector_size(4 * sizeof(Real)), gnu::may_alias]] = Real;

// The sums of the lanes of four vectors.
SVI_INLINE Four<float> lane_sums(const Vector<float>* sums) {
  const Four<float> a = folded(sums[0]);
  const Four<float> b = folded(sums[1]);
  const Four<float> c = folded(sums[2]);
  const Four<float> d = folded(sums[3]);
  const Four<float> ab =
      __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Four<float> cd =
      __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}
SVI_INLINE Four<double> lane_sums(const Vector<double>* sums) {
  Four<double> totals = {};
  for (std::int64_t lane = 0; lane < lanes<double>; ++lane)
    totals += Four<double>{sums[0][lane], sums[1][lane], sums[2][lane], sums[3][lane]};
  return totals;
}

template <typename Real>
SVI_INLINE Real lane_sum(const Vector<Real>& lanes_of_one) {
  const Vector<Real> alone[4] = {lanes_of_one};
  return lane_sums(alone)[0];
}

}  // namespace svi::vectors::SVI_KERNEL
