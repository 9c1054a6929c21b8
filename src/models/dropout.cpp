#include "dropout.hpp"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace svi {

namespace {

// A Philox block is eight words of 32 bits: 2^24 of them for each (layer, sample).
template <typename Real>
void fill_factors(std::span<Real> factors, double rate, const TrainingRows& training, std::uint64_t layer,
                  std::uint64_t sample, std::int64_t id) {
  const auto threshold = static_cast<std::uint64_t>(std::ldexp(rate, 32));
  const auto kept = static_cast<Real>(1 / (1 - rate));
  const std::uint64_t first_block = (layer << 48U) | (sample << 24U);
  for (std::size_t first = 0; first < factors.size(); first += 8) {
    const auto words = training.noise.words(Purpose::dropout, static_cast<std::uint64_t>(training.step),
                                            static_cast<std::uint64_t>(id), first_block + first / 8);
    for (std::size_t i = first; i < std::min(first + 8, factors.size()); ++i) {
      const std::uint64_t word = words[(i - first) / 2];
      const std::uint64_t half = (i & 1U) != 0 ? word >> 32U : word & 0xffffffffU;
      factors[i] = half < threshold ? Real{0} : kept;
    }
  }
}

at::Tensor factors_of(std::int64_t rows, std::int64_t units, double rate, const TrainingRows& training,
                      std::int64_t layer, at::ScalarType type) {
  at::Tensor factors = at::empty({rows, units}, type);
  const auto number = static_cast<std::uint64_t>(training.first_layer + layer);
  const std::int64_t batch = std::ssize(training.ids);
  AT_DISPATCH_FLOATING_TYPES(type, "dropout", [&] {
    auto* row = factors.data_ptr<scalar_t>();
    for (std::int64_t r = 0; r < rows; ++r, row += units)
      fill_factors(std::span(row, static_cast<std::size_t>(units)), rate, training, number,
                   static_cast<std::uint64_t>(r / batch), training.ids[static_cast<std::size_t>(r % batch)]);
  });
  return factors;
}

}  // namespace

const at::Tensor& Dropout::forward(const at::Tensor& values, const TrainingRows* training,
                                   std::int64_t layer) {
  factors_.reset();
  output_ = values;
  if (!drops() || training == nullptr) return output_;
  factors_ = factors_of(values.size(0), values.size(1), rate_, *training, layer, values.scalar_type())
                 .to(values.device());
  if (values.dim() == 4) factors_ = factors_.unsqueeze(2).unsqueeze(3);
  output_ = values * factors_;
  return output_;
}

void Dropout::backward(at::Tensor& gradient) const {
  if (factors_.defined()) gradient.mul_(factors_);
}

}  // namespace svi
