#include "activation.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <algorithm>
#include <array>

#include "svi/base/cpu_versions.hpp"
#include "svi/base/error.hpp"

namespace svi {

namespace {

constexpr double leak = 0.01;  // of a leaky rectified unit, as in PyTorch

const std::array<std::string, 6> names{"none", "relu", "leaky_relu", "tanh", "gelu", "silu"};

// Of these, y + b and the function are one pass: f(a) and, by the sign of the value, f′.
template <typename Real>
SVI_INLINE Real factor(Activation activation, Real sign) {
  if (activation == Activation::none) return Real(1);
  return sign > 0 ? Real(1) : Real(activation == Activation::relu ? 0 : leak);
}

bool is_piecewise_linear(Activation activation) {
  return activation == Activation::none || activation == Activation::relu ||
         activation == Activation::leaky_relu;
}

template <typename Real>
struct Layer {
  std::int64_t rows;
  std::int64_t width;
};

template <Activation activation, typename Real>
SVI_INLINE void forward_body(Layer<Real> layer, const Real* bias, Real* y) {
  for (std::int64_t b = 0; b < layer.rows; ++b, y += layer.width) {
#pragma omp simd
    for (std::int64_t j = 0; j < layer.width; ++j) {
      const Real sum = y[j] + bias[j];
      y[j] = sum * factor(activation, sum);
    }
  }
}

// In blocks of columns whose sums stay in registers; sums of 64 rows in the type itself, those in float64.
template <Activation activation, typename Real>
SVI_INLINE void backward_body(Layer<Real> layer, const Real* value, Real* gradient, Real* sums) {
  constexpr std::int64_t columns = 64;
  constexpr std::int64_t rows_at_once = 64;
  for (std::int64_t first = 0; first < layer.width; first += columns) {
    const std::int64_t count = std::min(columns, layer.width - first);
    std::array<double, columns> total{};
    for (std::int64_t top = 0; top < layer.rows; top += rows_at_once) {
      std::array<Real, columns> part{};
      for (std::int64_t b = top; b < std::min(top + rows_at_once, layer.rows); ++b) {
        Real* const g = gradient + b * layer.width + first;
        const Real* const v = value + b * layer.width + first;
#pragma omp simd
        for (std::int64_t j = 0; j < count; ++j) {
          if constexpr (activation != Activation::none) g[j] *= factor(activation, v[j]);
          part[j] += g[j];
        }
      }
      for (std::int64_t j = 0; j < count; ++j) total[j] += double(part[j]);
    }
    for (std::int64_t j = 0; j < count; ++j) sums[first + j] = static_cast<Real>(total[j]);
  }
}

template <typename Real>
SVI_INLINE void forward_all(Activation activation, Layer<Real> layer, const Real* bias, Real* y) {
  if (activation == Activation::none) return forward_body<Activation::none>(layer, bias, y);
  if (activation == Activation::relu) return forward_body<Activation::relu>(layer, bias, y);
  forward_body<Activation::leaky_relu>(layer, bias, y);
}

template <typename Real>
SVI_INLINE void backward_all(Activation activation, Layer<Real> layer, const Real* value, Real* gradient,
                             Real* sums) {
  if (activation == Activation::none) return backward_body<Activation::none>(layer, value, gradient, sums);
  if (activation == Activation::relu) return backward_body<Activation::relu>(layer, value, gradient, sums);
  backward_body<Activation::leaky_relu>(layer, value, gradient, sums);
}

SVI_CPU_VERSIONS void forward(Activation activation, Layer<float> layer, const float* bias, float* y) {
  forward_all(activation, layer, bias, y);
}
SVI_CPU_VERSIONS void forward(Activation activation, Layer<double> layer, const double* bias, double* y) {
  forward_all(activation, layer, bias, y);
}
SVI_CPU_VERSIONS void backward(Activation activation, Layer<float> layer, const float* value, float* gradient,
                               float* sums) {
  backward_all(activation, layer, value, gradient, sums);
}
SVI_CPU_VERSIONS void backward(Activation activation, Layer<double> layer, const double* value,
                               double* gradient, double* sums) {
  backward_all(activation, layer, value, gradient, sums);
}

void apply(Activation activation, at::Tensor& y, at::Tensor& argument) {
  if (keeps_argument(activation)) argument.copy_(y);
  switch (activation) {
    case Activation::none:
      return;
    case Activation::relu:
      y.relu_();
      return;
    case Activation::leaky_relu:
      at::leaky_relu_(y, leak);
      return;
    case Activation::tanh:
      y.tanh_();
      return;
    case Activation::gelu:
      at::gelu_out(y, argument);
      return;
    case Activation::silu:
      at::silu_out(y, argument);
      return;
  }
}

void multiply_by_derivative(Activation activation, const at::Tensor& value, const at::Tensor& argument,
                            at::Tensor& gradient) {
  switch (activation) {
    case Activation::none:
      return;
    case Activation::relu:
      at::threshold_backward_out(gradient, gradient, value, 0);
      return;
    case Activation::leaky_relu:
      at::leaky_relu_backward_out(gradient, gradient, value, leak, true);
      return;
    case Activation::tanh:
      at::tanh_backward_out(gradient, gradient, value);
      return;
    case Activation::gelu:
      at::gelu_backward_out(gradient, gradient, argument);
      return;
    case Activation::silu:
      at::silu_backward_out(gradient, gradient, argument);
      return;
  }
}

}  // namespace

std::vector<std::string> activation_names() { return {names.begin() + 1, names.end()}; }

Activation activation_of(const std::string& name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) throw Error(ExitCode::internal, "no activation is called {}", name);
  return static_cast<Activation>(found - names.begin());
}

bool keeps_argument(Activation activation) {
  return activation == Activation::gelu || activation == Activation::silu;
}

void activate(Activation activation, const at::Tensor& bias, at::Tensor& y, at::Tensor& argument) {
  if (!bias.defined()) return apply(activation, y, argument);
  if (!y.device().is_cpu()) {
    y.add_(bias);
    return apply(activation, y, argument);
  }
  const Activation within = is_piecewise_linear(activation) ? activation : Activation::none;
  AT_DISPATCH_FLOATING_TYPES(y.scalar_type(), "activate", [&] {
    forward(within, Layer<scalar_t>{y.size(0), y.size(1)}, bias.const_data_ptr<scalar_t>(),
            y.mutable_data_ptr<scalar_t>());
  });
  if (within != activation) apply(activation, y, argument);
}

void through_activation(Activation activation, const at::Tensor& value, const at::Tensor& argument,
                        at::Tensor& gradient, at::Tensor& sums) {
  const bool is_fused = gradient.device().is_cpu() && is_piecewise_linear(activation) && sums.defined();
  if (!is_fused) multiply_by_derivative(activation, value, argument, gradient);
  if (!sums.defined()) return;
  if (!gradient.device().is_cpu()) {
    at::sum_out(sums, gradient, 0);
    return;
  }
  const Activation within = is_fused ? activation : Activation::none;
  AT_DISPATCH_FLOATING_TYPES(gradient.scalar_type(), "through_activation", [&] {
    const scalar_t* const values =
        within == Activation::none ? gradient.const_data_ptr<scalar_t>() : value.const_data_ptr<scalar_t>();
    backward(within, Layer<scalar_t>{gradient.size(0), gradient.size(1)}, values,
             gradient.mutable_data_ptr<scalar_t>(), sums.mutable_data_ptr<scalar_t>());
  });
}

}  // namespace svi
