#pragma once

namespace svi {

/// Whether this processor runs what cmake/Kernels.cmake compiles for AVX-512 and for AVX2. **Local.**
#if defined(SVI_X86_KERNELS)
inline bool runs_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
inline bool runs_avx512_bfloat16() { return runs_avx512() && __builtin_cpu_supports("avx512bf16"); }
inline bool runs_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

}  // namespace svi
