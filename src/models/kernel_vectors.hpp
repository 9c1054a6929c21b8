// Vectors of the width SVI_VECTOR_BYTES, for files that are compiled once for each kind of processor: in the
// namespace SVI_KERNEL.

#if SVI_VECTOR_BYTES == 64
#include <immintrin.h>
#endif

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

#if SVI_VECTOR_BYTES == 64
// In each quarter of a vector that quarter's sums of four vectors.
SVI_INLINE Vector<float> quarter_sums(const Vector<float>* of) {
#define SVI_QUARTERS(x, y, a, b, c, d)                                                                      \
  __builtin_shufflevector(x, y, a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, d + 8, a + 12, \
                          b + 12, c + 12, d + 12)
  const Vector<float> ab =
      SVI_QUARTERS(of[0], of[1], 0, 16, 1, 17) + SVI_QUARTERS(of[0], of[1], 2, 18, 3, 19);
  const Vector<float> cd =
      SVI_QUARTERS(of[2], of[3], 0, 16, 1, 17) + SVI_QUARTERS(of[2], of[3], 2, 18, 3, 19);
  return SVI_QUARTERS(ab, cd, 0, 1, 16, 17) + SVI_QUARTERS(ab, cd, 2, 3, 18, 19);
#undef SVI_QUARTERS
}

// The sums of the lanes of sixteen vectors.
SVI_INLINE Vector<float> sixteen_lane_sums(const Vector<float>* sums) {
#define SVI_HALVES(x, y, a, b)                                                                          \
  __builtin_shufflevector(x, y, a, a + 1, a + 2, a + 3, b, b + 1, b + 2, b + 3, a + 16, a + 17, a + 18, \
                          a + 19, b + 16, b + 17, b + 18, b + 19)
  Vector<float> of[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) of[i] = quarter_sums(sums + 4 * i);
  const Vector<float> ab = SVI_HALVES(of[0], of[1], 0, 8) + SVI_HALVES(of[0], of[1], 4, 12);
  const Vector<float> cd = SVI_HALVES(of[2], of[3], 0, 8) + SVI_HALVES(of[2], of[3], 4, 12);
  return SVI_HALVES(ab, cd, 0, 8) + SVI_HALVES(ab, cd, 4, 12);
#undef SVI_HALVES
}
#endif

// The sums of the lanes of four vectors.
SVI_INLINE Four<float> lane_sums(const Vector<float>* sums) {
#if SVI_VECTOR_BYTES == 64
  return folded(quarter_sums(sums));
#else
  const Four<float> a = folded(sums[0]);
  const Four<float> b = folded(sums[1]);
  const Four<float> c = folded(sums[2]);
  const Four<float> d = folded(sums[3]);
  const Four<float> ab =
      __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Four<float> cd =
      __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
#endif
}
SVI_INLINE Four<double> lane_sums(const Vector<double>* sums) {
  Four<double> totals = {};
  for (std::int64_t lane = 0; lane < lanes<double>; ++lane)
    totals += Four<double>{sums[0][lane], sums[1][lane], sums[2][lane], sums[3][lane]};
  return totals;
}

// The sums of the lanes of 4 vectors, or of 16 where a vector holds as many numbers: what is stored in parts
// holds up a load of the whole. @param out on a boundary of as many
template <int count, typename Real>
SVI_INLINE void store_lane_sums(const Vector<Real>* sums, Real* out) {
  if constexpr (count == 4) {
    *reinterpret_cast<Four<Real>*>(out) = lane_sums(sums);
  } else {
    vector_at(out, 0) = sixteen_lane_sums(sums);
  }
}

// Which lanes of a comparison are true: a bit each.
template <typename Real, typename Truth>
SVI_INLINE std::uint32_t lanes_set(const Truth& truth) {
#if SVI_VECTOR_BYTES == 64
  if constexpr (sizeof(Real) == 4) return _mm512_movepi32_mask((__m512i)truth);
  return _mm512_movepi64_mask((__m512i)truth);
#else
  std::uint32_t bits = 0;
  for (std::int64_t lane = 0; lane < lanes<Real>; ++lane)
    bits |= static_cast<std::uint32_t>(truth[lane] != 0) << lane;
  return bits;
#endif
}

// Appends first + i for each bit i that is set, without a branch for each where there is a way, since no
// processor could foresee them; returns the list's new length. @param list with room for sixteen more
SVI_INLINE std::int64_t append_set(std::uint32_t bits, std::int32_t first, std::int32_t* list,
                                   std::int64_t size) {
#if SVI_VECTOR_BYTES == 64
  const __m512i numbers = _mm512_add_epi32(
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32(first));
  _mm512_storeu_si512(list + size, _mm512_maskz_compress_epi32(static_cast<__mmask16>(bits), numbers));
  return size + __builtin_popcount(bits);
#else
  for (; bits != 0; bits &= bits - 1) list[size++] = first + __builtin_ctz(bits);
  return size;
#endif
}

template <typename Real>
SVI_INLINE Real lane_sum(const Vector<Real>& lanes_of_one) {
  const Vector<Real> alone[4] = {lanes_of_one};
  return lane_sums(alone)[0];
}

}  // namespace svi::vectors::SVI_KERNEL
