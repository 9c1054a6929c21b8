#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "svi/base/random.hpp"
#include "svi/core/parameter_set.hpp"

namespace svi {

enum class Activation { relu, tanh };

/// A fully connected network with its backward pass written out on buffers of its own.
///
/// Layer i maps [B, widths[i]] to [B, widths[i + 1]] by x·Wᵀ + b; the activation follows every layer but the
/// last. Its parameters are `<name>.<i>/weight` [out, in] and `<name>.<i>/bias` [out] of a ParameterSet.
/// **Local.**
class Mlp {
 public:
  /// @param widths at least two: input, hidden…, output
  Mlp(std::string name, std::vector<std::int64_t> widths, Activation activation);

  std::vector<ParameterShape> parameter_shapes() const;

  /// Weights and biases uniform in ±1/√in, as torch.nn.Linear starts (He et al. 2015 with a = √5).
  /// @param first_tensor keys the noise: the number of tensors that come before in the set
  void initialize(ParameterSet& parameters, std::uint64_t first_tensor, const Philox& noise) const;

  /// @param input [B, in]; kept by reference until `backward`
  /// @return [B, out]: a buffer of this network, valid until the next forward; may be overwritten
  at::Tensor& forward(const ParameterSet& parameters, const at::Tensor& input);

  /// Overwrites the parameters' gradients, given the gradient of the last forward's output.
  /// @param output_gradient [B, out]
  /// @return the gradient by the input [B, in] when wanted, else an undefined tensor: a buffer of this
  /// network, valid until the next backward
  at::Tensor backward(const ParameterSet& parameters, const at::Tensor& output_gradient,
                      ParameterSet& gradients, bool wants_input_gradient);

 private:
  struct Layer {
    std::string weight;
    std::string bias;
    std::int64_t in = 0;
    std::int64_t out = 0;
    at::Tensor output;          // [capacity, out], after the activation
    at::Tensor input_gradient;  // [capacity, in]; the first layer's only if it is ever wanted
  };

  void activate(at::Tensor& values) const;
  void through_activation(const at::Tensor& output, at::Tensor& gradient) const;

  std::vector<Layer> layers_;
  Activation activation_;
  at::Tensor input_;
  std::vector<at::Tensor> outputs_;  // views of this batch's rows
};

}  // namespace svi
