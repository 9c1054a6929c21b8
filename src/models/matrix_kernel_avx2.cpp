#define SVI_KERNEL avx2
#define SVI_KERNEL_NAME "AVX2"
#define SVI_VECTOR_BYTES 32
#include "matrix_kernel_body.inc"
#include "matrix_kernel_nonzeros.inc"
#include "matrix_kernel_transposed.inc"
