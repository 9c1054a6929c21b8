#define SVI_KERNEL avx2
#define SVI_KERNEL_NAME "AVX2"
#define SVI_VECTOR_BYTES 32
#include "lda_kernel_body.inc"
