#include "linear_product.hpp"

#include <ATen/ATen.h>

#include <bit>
#include <cstdint>

#include "svi/base/cpu_versions.hpp"

namespace svi {

namespace {

// To the nearest, ties to even; what is no number stays none. LibTorch's own conversions took a fifth of a
// step of a 784-400-20 VAE.
SVI_CPU_VERSIONS void round_to(const float* from, std::uint16_t* to, std::int64_t size) {
#pragma omp simd
  for (std::int64_t i = 0; i < size; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(from[i]);
    const std::uint32_t nearest = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
    const bool is_number = (bits & 0x7fffffffU) <= 0x7f800000U;
    to[i] = static_cast<std::uint16_t>(is_number ? nearest : 0x7fc0U);
  }
}

SVI_CPU_VERSIONS void widen(const std::uint16_t* from, float* to, std::int64_t size) {
#pragma omp simd
  for (std::int64_t i = 0; i < size; ++i)
    to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(from[i]) << 16);
}

std::uint16_t* bits_of(const at::Tensor& values) {
  return reinterpret_cast<std::uint16_t*>(values.mutable_data_ptr<at::BFloat16>());
}

void convert(const at::Tensor& from, const at::Tensor& to) {
  if (!from.device().is_cpu() || !from.is_contiguous() || !to.is_contiguous()) {
    to.copy_(from);
  } else if (to.scalar_type() == at::kBFloat16) {
    round_to(from.const_data_ptr<float>(), bits_of(to), from.numel());
  } else {
    widen(bits_of(from), to.mutable_data_ptr<float>(), from.numel());
  }
}

// A view of a buffer in that shape; the buffer grows where it must.
at::Tensor shaped(at::Tensor& buffer, at::IntArrayRef shape, const at::Tensor& like) {
  const std::int64_t size = c10::multiply_integers(shape);
  if (!buffer.defined() || buffer.numel() < size)
    buffer = at::empty({size}, like.options().dtype(at::kBFloat16));
  return buffer.narrow(0, 0, size).view(shape);
}

at::Tensor rounded(at::Tensor& buffer, const at::Tensor& values) {
  at::Tensor into = shaped(buffer, values.sizes(), values);
  convert(values, into);
  return into;
}

}  // namespace

void LinearProduct::forward(const at::Tensor& x, const at::Tensor& weight, at::Tensor& y) {
  if (!in_bfloat16_) {
    at::mm_out(y, x, weight.t());
    return;
  }
  at::Tensor product = shaped(rounded_.product, y.sizes(), y);
  at::mm_out(product, rounded(rounded_.x, x), rounded(rounded_.weight, weight).t());
  convert(product, y);
}

void LinearProduct::backward_weight(const at::Tensor& gradient, const at::Tensor& x, at::Tensor& by_weight) {
  if (!in_bfloat16_) {
    at::mm_out(by_weight, gradient.t(), x);
    return;
  }
  at::Tensor product = shaped(rounded_.product, by_weight.sizes(), by_weight);
  at::mm_out(product, rounded(rounded_.gradient, gradient).t(), shaped(rounded_.x, x.sizes(), x));
  convert(product, by_weight);
}

void LinearProduct::backward_input(const at::Tensor& gradient, const at::Tensor& weight,
                                   at::Tensor& by_input) {
  if (!in_bfloat16_) {
    at::mm_out(by_input, gradient, weight);
    return;
  }
  at::Tensor product = shaped(rounded_.product, by_input.sizes(), by_input);
  at::mm_out(product, shaped(rounded_.gradient, gradient.sizes(), gradient),
             shaped(rounded_.weight, weight.sizes(), weight));
  convert(product, by_input);
}

}  // namespace svi
