#include "svi/distributions/diagonal_gaussian.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <cmath>
#include <numbers>

#include "svi/math/exponential.hpp"

namespace svi::diagonal_gaussian {

namespace {

SVI_INLINE float exponential(float x) { return math::exp(x); }
inline double exponential(double x) { return std::exp(x); }

// Shapes below: posterior and gradient [B, 2Z], everything else [B, Z], all contiguous.
template <typename Real>
SVI_INLINE void reparameterise_row(const Real* posterior, const Real* noise, Real* z, std::int64_t width) {
#pragma omp simd
  for (std::int64_t j = 0; j < width; ++j) {
    z[j] = posterior[j] + exponential(Real(0.5) * posterior[width + j]) * noise[j];
  }
}

template <typename Real>
SVI_INLINE void kl_row(const Real* posterior, double* per_dimension, std::int64_t width) {
#pragma omp simd
  for (std::int64_t j = 0; j < width; ++j) {
    const Real mean = posterior[j];
    const Real log_variance = posterior[width + j];
    per_dimension[j] -= 0.5 * double(1 + log_variance - mean * mean - exponential(log_variance));
  }
}

template <typename Real>
SVI_INLINE void gradient_row(const Real* posterior, const Real* noise, const Real* z_gradient, Real kl_weight,
                             Real* gradient, std::int64_t width) {
#pragma omp simd
  for (std::int64_t j = 0; j < width; ++j) {
    const Real mean = posterior[j];
    const Real deviation = exponential(Real(0.5) * posterior[width + j]);
    gradient[j] += z_gradient[j] - kl_weight * mean;
    gradient[width + j] += Real(0.5) * z_gradient[j] * deviation * noise[j] -
                           Real(0.5) * kl_weight * (deviation * deviation - 1);
  }
}

bool on_host(const at::Tensor& tensor) { return tensor.device().is_cpu(); }

at::Tensor mean_of(const at::Tensor& posterior) { return posterior.chunk(2, 1)[0]; }
at::Tensor log_variance_of(const at::Tensor& posterior) { return posterior.chunk(2, 1)[1]; }

void add_to(std::span<double> per_dimension, const at::Tensor& values) {
  const at::Tensor host = values.to(at::kCPU, at::kDouble).contiguous();
  for (std::size_t j = 0; j < per_dimension.size(); ++j) per_dimension[j] += host.data_ptr<double>()[j];
}

}  // namespace

void reparameterise(const at::Tensor& posterior, const at::Tensor& noise, at::Tensor& z) {
  if (!on_host(z)) {
    z.copy_(mean_of(posterior) + at::exp(0.5 * log_variance_of(posterior)) * noise);
    return;
  }
  const std::int64_t width = z.size(1);
  AT_DISPATCH_FLOATING_TYPES(z.scalar_type(), "reparameterise", [&] {
    for (std::int64_t b = 0; b < z.size(0); ++b) {
      reparameterise_row(posterior.data_ptr<scalar_t>() + 2 * width * b,
                         noise.data_ptr<scalar_t>() + width * b, z.data_ptr<scalar_t>() + width * b, width);
    }
  });
}

void add_kl(const at::Tensor& posterior, std::span<double> per_dimension) {
  if (!on_host(posterior)) {
    const at::Tensor mean = mean_of(posterior);
    const at::Tensor log_variance = log_variance_of(posterior);
    add_to(per_dimension,
           (-0.5 * (1 + log_variance - mean * mean - at::exp(log_variance))).sum(0, false, at::kDouble));
    return;
  }
  const auto width = std::ssize(per_dimension);
  AT_DISPATCH_FLOATING_TYPES(posterior.scalar_type(), "kl", [&] {
    for (std::int64_t b = 0; b < posterior.size(0); ++b) {
      kl_row(posterior.data_ptr<scalar_t>() + 2 * width * b, per_dimension.data(), width);
    }
  });
}

void add_gradient_analytic(const at::Tensor& posterior, const at::Tensor& noise, const at::Tensor& z_gradient,
                           double kl_weight, at::Tensor& gradient) {
  const std::int64_t width = noise.size(1);
  if (!on_host(posterior)) {
    const at::Tensor deviation = at::exp(0.5 * log_variance_of(posterior));
    gradient.narrow(1, 0, width).add_(z_gradient - kl_weight * mean_of(posterior));
    gradient.narrow(1, width, width)
        .add_(0.5 * z_gradient * deviation * noise - 0.5 * kl_weight * (deviation * deviation - 1));
    return;
  }
  AT_DISPATCH_FLOATING_TYPES(posterior.scalar_type(), "gaussian_gradient", [&] {
    for (std::int64_t b = 0; b < posterior.size(0); ++b) {
      gradient_row(posterior.data_ptr<scalar_t>() + 2 * width * b, noise.data_ptr<scalar_t>() + width * b,
                   z_gradient.data_ptr<scalar_t>() + width * b, static_cast<scalar_t>(kl_weight),
                   gradient.data_ptr<scalar_t>() + 2 * width * b, width);
    }
  });
}

void add_gradient_sampled(const at::Tensor& posterior, const at::Tensor& noise, const at::Tensor& z,
                          const at::Tensor& z_gradient, double kl_weight, at::Tensor& gradient) {
  const std::int64_t width = noise.size(1);
  const at::Tensor deviation = at::exp(0.5 * log_variance_of(posterior));
  const at::Tensor total = z_gradient - kl_weight * z;  // ∂/∂z of −½ z² is −z
  gradient.narrow(1, 0, width).add_(total);
  gradient.narrow(1, width, width).add_(0.5 * total * deviation * noise + 0.5 * kl_weight);
}

void add_sampled_kl(const at::Tensor& posterior, const at::Tensor& noise, const at::Tensor& z, double weight,
                    std::span<double> per_dimension) {
  const at::Tensor log_ratio = 0.5 * (z * z - noise * noise - log_variance_of(posterior));
  add_to(per_dimension, weight * log_ratio.sum(0, false, at::kDouble));
}

}  // namespace svi::diagonal_gaussian
