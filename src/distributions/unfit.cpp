#include "unfit.hpp"

#include <ATen/ATen.h>

#include "svi/base/error.hpp"

namespace svi {

void require_everywhere(const at::Tensor& fits, const at::Tensor& x, std::span<const std::int64_t> ids,
                        const std::string& what) {
  if (fits.all().item<bool>()) return;
  const auto place = fits.logical_not().flatten().to(at::kByte).argmax().item<std::int64_t>();
  const std::int64_t row = place / x.size(1);
  const std::int64_t feature = place % x.size(1);
  throw Error(ExitCode::bad_data, "row {}, feature {} is {:.9g}, but {}", ids[static_cast<std::size_t>(row)],
              feature, x[row][feature].item<double>(), what);
}

}  // namespace svi
