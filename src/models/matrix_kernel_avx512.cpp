#define SVI_KERNEL avx512
#define SVI_KERNEL_NAME "AVX-512"
#define SVI_VECTOR_BYTES 64
#include "matrix_kernel_body.inc"
#include "matrix_kernel_nonzeros.inc"
#include "matrix_kernel_transposed.inc"
