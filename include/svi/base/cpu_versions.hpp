#pragma once

/// Macros for hot loops that are compiled once for each generation of processors.

#if defined(__GNUC__)
#define SVI_INLINE inline __attribute__((always_inline))
#else
#define SVI_INLINE inline
#endif

// One version of a function for each generation of x86 processors, picked by their features when the program
// starts. GCC 11 cannot pick by levels: only by models, which later processors are none of. Sanitizers cannot
// run the resolvers, which start before them.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(SVI_SANITIZE)
#if __GNUC__ >= 12
#define SVI_CPU_VERSIONS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SVI_CPU_VERSIONS __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#endif
#else
#define SVI_CPU_VERSIONS
#endif
