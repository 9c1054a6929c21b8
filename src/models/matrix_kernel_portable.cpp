#define SVI_KERNEL portable
#define SVI_KERNEL_NAME "portable"
#define SVI_VECTOR_BYTES 16
#include "matrix_kernel_body.inc"
#include "matrix_kernel_nonzeros.inc"
#include "matrix_kernel_transposed.inc"
