#include "gaussian.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "svi/base/error.hpp"

namespace svi {

double Gaussian::log_likelihood_and_gradient(const at::Tensor& x, at::Tensor& output, double weight) const {
  const double sum = weight * log_likelihood(x, output).sum().item<double>();
  output.sub_(x).mul_(-weight / variance_);  // ∂/∂m of −(x − m)² / 2v is (x − m) / v
  return sum;
}

at::Tensor Gaussian::log_likelihood(const at::Tensor& x, const at::Tensor& output) const {
  const at::Tensor difference = x - output;
  const double constant = 0.5 * std::log(2 * std::numbers::pi * variance_) * static_cast<double>(x.size(1));
  return (difference * difference).sum(1, false, at::kDouble) * (-0.5 / variance_) - constant;
}

void Gaussian::require_fit(const at::Tensor& x) const {
  if (!at::isfinite(x).all().item<bool>()) {
    throw Error(ExitCode::bad_data,
                "model.likelihood gaussian needs finite features, but the data hold NaN or infinity");
  }
}

}  // namespace svi
