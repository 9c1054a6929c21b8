#define SVI_KERNEL avx512_bfloat16
#define SVI_VECTOR_BYTES 64
#define SVI_BFLOAT16
#include "matrix_kernel_body.inc"
#include "matrix_kernel_nonzeros.inc"

namespace svi::matrix::avx512_bfloat16 {

namespace {

// Up to 32 neighbours as 16 pairs; none are read beyond.
SVI_INLINE __m512i pairs_of(const float* from, std::int64_t count) {
  const __m512 low = load_some(from, count < width ? count : width);
  const __m512 high = load_some(from + width, count > width ? count - width : 0);
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

SVI_INLINE void store_pairs(Pair* to, __m512i pairs, std::int64_t count) {
  _mm512_mask_storeu_epi32(to, static_cast<__mmask16>((1U << count) - 1), pairs);
}

void pair_columns(const float* from, std::int64_t rows, std::int64_t columns, Pair* to) {
  const std::int64_t pairs = (columns + 1) / 2;
  for (std::int64_t r = 0; r < rows; ++r, from += columns, to += pairs) {
    for (std::int64_t k = 0; k < pairs; k += width) {
      const std::int64_t left = columns - 2 * k;
      store_pairs(to + k, pairs_of(from + 2 * k, left < 2 * width ? left : 2 * width),
                  pairs - k < width ? pairs - k : width);
    }
  }
}

typedef std::uint16_t Halves [[gnu::vector_size(64)]];

// Sixteen numbers, and as many that follow them in their columns, as pairs.
SVI_INLINE __m512i interleaved(const Vector& first, const Vector& second) {
  const auto halves = (Halves)_mm512_cvtne2ps_pbh(second, first);  // all of the first, then all of the second
  return (__m512i)__builtin_shufflevector(halves, halves, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8,
                                          24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

void pair_rows(const float* from, std::int64_t rows, std::int64_t columns, Pair* to) {
  for (std::int64_t r = 0; r < rows; r += 2, from += 2 * columns, to += columns) {
    for (std::int64_t c = 0; c < columns; c += width) {
      const std::int64_t count = columns - c < width ? columns - c : width;
      const Vector next = r + 1 < rows ? load_some(from + columns + c, count) : Vector{};
      store_pairs(to + c, interleaved(load_some(from + c, count), next), count);
    }
  }
}

void pair_transposed(const float* from, std::int64_t rows, std::int64_t columns, Pair* to) {
  const std::int64_t pairs = (columns + 1) / 2;
  for (std::int64_t r = 0; r < rows; r += width) {
    const std::int64_t height = rows - r < width ? rows - r : width;
    for (std::int64_t k = 0; k < pairs; k += width) {
      const std::int64_t left = columns - 2 * k;
      Block block[width];
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < width; ++i)
        block[i] = i < height ? (Block)pairs_of(from + (r + i) * columns + 2 * k, left < 2 * width ? left : 2 * width)
                              : Block{};
      transpose(block);
      for (std::int64_t i = 0; i < width && k + i < pairs; ++i)
        store_pairs(to + (k + i) * rows + r, (__m512i)block[i], height);
    }
  }
}

}  // namespace

PairKernel kernel() {
  return {.times = times<Pair>,
          .nonzeros = nonzero_kernel<Pair>(),
          .pair_columns = pair_columns,
          .pair_transposed = pair_transposed,
          .pair_rows = pair_rows};
}

}  // namespace svi::matrix::avx512_bfloat16
