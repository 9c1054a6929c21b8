#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "svi/base/random.hpp"
#include "svi/core/parameter_set.hpp"

namespace svi {

/// What keys the noise of a batch in training: row r of L·B rows is sample r / B of the row ids[r % B].
struct TrainingRows {
  const Philox& noise;
  std::int64_t step = 0;
  std::span<const std::int64_t> ids;  ///< [B]
  std::int64_t first_layer = 0;       ///< the number of the network's first layer among all of the model
};

/// The widths of fully connected layers from the input to the output, for Mlp.
inline std::vector<std::int64_t> layer_widths(std::int64_t inputs, std::vector<std::int64_t> hidden,
                                              std::int64_t outputs) {
  hidden.insert(hidden.begin(), inputs);
  hidden.push_back(outputs);
  return hidden;
}

/// A function of rows with parameters, and its backward pass, written out on buffers of its own. **Local.**
class Network {
 public:
  virtual ~Network() = default;

  virtual std::vector<ParameterShape> parameter_shapes() const = 0;

  /// Sets the first values of the parameters, as MlpOptions says.
  /// @param first_tensor keys the noise: the number of tensors that come before in the set
  virtual void initialize(ParameterSet& parameters, std::uint64_t first_tensor,
                          const Philox& noise) const = 0;

  /// @param input [B, in]; kept by reference until `backward`
  /// @param training what keys the units that are dropped; null to drop none, as all uses but training do
  /// @return [B, out]: a buffer of this network, valid until the next forward; may be overwritten
  virtual at::Tensor& forward(const ParameterSet& parameters, const at::Tensor& input,
                              const TrainingRows* training) = 0;
  at::Tensor& forward(const ParameterSet& parameters, const at::Tensor& input) {
    return forward(parameters, input, nullptr);
  }

  /// Overwrites the parameters' gradients, given the gradient of the last forward's output.
  /// @param output_gradient [B, out]
  /// @return the gradient by the input [B, in] when wanted, else an undefined tensor: a buffer of this
  /// network, valid until the next backward
  virtual at::Tensor backward(const ParameterSet& parameters, const at::Tensor& output_gradient,
                              ParameterSet& gradients, bool wants_input_gradient) = 0;

  /// Numbers that it keeps of each row between its input and its output, gradients included.
  virtual std::int64_t units_per_row() const = 0;
};

}  // namespace svi
