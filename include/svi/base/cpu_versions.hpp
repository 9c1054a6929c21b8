#pragma once

/// Macros for hot loops that are compiled once for each generation of processors.

#if defined(__GNUC__)
#define SVI_INLINE inline __attribute__((always_inline))
#else
#define SVI_INLINE inline
#endif

// One version of a function for each generation of x86 processors, picked when the program starts.
// Sanitizers cannot run the resolvers, which start before them.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(SVI_SANITIZE)
#define SVI_CPU_VERSIONS __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define SVI_CPU_VERSIONS
#endif
