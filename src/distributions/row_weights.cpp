#include <ATen/ATen.h>

#include "svi/distributions/likelihood.hpp"

namespace svi {

RowWeights::RowWeights(const Tensor& each, double common)
    : common_(common), each_(each.to(at::kDouble).contiguous()) {}

double RowWeights::sum(const Tensor& rows) const {
  return common_ * (each_.defined() ? rows * each_ : rows).sum().item<double>();
}

void RowWeights::scale(Tensor& gradient) const {
  if (each_.defined()) {
    gradient.mul_((common_ * each_).to(gradient.scalar_type()).unsqueeze(1));
  } else if (common_ != 1) {
    gradient.mul_(common_);
  }
}

double RowWeights::operator[](std::int64_t row) const {
  return each_.defined() ? common_ * each_.const_data_ptr<double>()[row] : common_;
}

}  // namespace svi
