#include "lda_kernel.hpp"

#include <vector>

#include "processor.hpp"

namespace svi::lda {

#if defined(SVI_X86_KERNELS)
namespace avx512 {
template <typename Real>
Kernel<Real> kernel();
}
namespace avx2 {
template <typename Real>
Kernel<Real> kernel();
}
#endif
namespace portable {
template <typename Real>
Kernel<Real> kernel();
}

template <typename Real>
std::span<const Kernel<Real>> kernels() {
  static const std::vector<Kernel<Real>> found = [] {
    std::vector<Kernel<Real>> list;
#if defined(SVI_X86_KERNELS)
    if (runs_avx512()) list.push_back(avx512::kernel<Real>());
    if (runs_avx2()) list.push_back(avx2::kernel<Real>());
#endif
    list.push_back(portable::kernel<Real>());
    return list;
  }();
  return found;
}
template std::span<const Kernel<float>> kernels();
template std::span<const Kernel<double>> kernels();

}  // namespace svi::lda
