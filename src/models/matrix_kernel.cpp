#include "matrix_kernel.hpp"

#include <vector>

#include "processor.hpp"

namespace svi::matrix {

#if defined(SVI_X86_KERNELS)
namespace avx512 {
MatrixKernel kernel();
}
namespace avx512_bfloat16 {
PairKernel kernel();
}
namespace avx2 {
MatrixKernel kernel();
}
#endif
namespace portable {
MatrixKernel kernel();
}

std::span<const MatrixKernel> matrix_kernels() {
  static const std::vector<MatrixKernel> found = [] {
    std::vector<MatrixKernel> list;
#if defined(SVI_X86_KERNELS)
    if (runs_avx512()) list.push_back(avx512::kernel());
    if (runs_avx2()) list.push_back(avx2::kernel());
#endif
    list.push_back(portable::kernel());
    return list;
  }();
  return found;
}

const PairKernel* pair_kernel() {
#if defined(SVI_X86_KERNELS)
  if (runs_avx512_bfloat16()) {  // asked first: kernel() itself is compiled for such processors
    static const PairKernel kernel = avx512_bfloat16::kernel();
    return &kernel;
  }
#endif
  return nullptr;
}

}  // namespace svi::matrix
