#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "svi/base/random.hpp"

namespace svi {

/// First values of a network's tensors, one after another, each from noise of its own. **Local.**
///
/// `uniform`: weights and biases uniform in ±1/√in, as PyTorch's layers start. Else biases are zero and
/// weights uniform in ±√(6/in) (`he`: He et al. 2015, for rectified units) or ±√(6/(in + out)) (`glorot`:
/// Glorot and Bengio 2010, for tanh).
class InitialValues {
 public:
  /// @param first_tensor the number of tensors that come before in the set
  InitialValues(std::string kind, const Philox& noise, std::uint64_t first_tensor)
      : kind_(std::move(kind)), noise_(noise), next_tensor_(first_tensor) {}

  /// @param in how many numbers each output is a sum of @param out how many sums each input is part of
  void fill(const at::Tensor& weight, const at::Tensor& bias, double in, double out);
  /// One number for all, which takes a tensor's turn.
  void fill(const at::Tensor& values, double number);

 private:
  void fill_uniform(const at::Tensor& values, double bound);

  std::string kind_;
  Philox noise_;
  std::uint64_t next_tensor_;
};

}  // namespace svi
