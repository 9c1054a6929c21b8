#include "mlp.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace svi {

namespace {

// The first rows of a buffer, which is made anew when it is too small or of another type.
at::Tensor rows_of(at::Tensor& buffer, std::int64_t rows, std::int64_t width,
                   const at::TensorOptions& options) {
  if (!buffer.defined() || buffer.size(0) < rows || buffer.dtype() != options.dtype()) {
    buffer = at::empty({rows, width}, options);
  }
  return buffer.narrow(0, 0, rows);
}

}  // namespace

Mlp::Mlp(std::string name, std::vector<std::int64_t> widths, Activation activation)
    : activation_(activation) {
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    layers_.push_back({fmt::format("{}.{}/weight", name, i),
                       fmt::format("{}.{}/bias", name, i),
                       widths[i],
                       widths[i + 1],
                       {},
                       {}});
  }
  outputs_.resize(layers_.size());
}

std::vector<ParameterShape> Mlp::parameter_shapes() const {
  std::vector<ParameterShape> shapes;
  for (const Layer& layer : layers_) {
    shapes.push_back({layer.weight, {layer.out, layer.in}});
    shapes.push_back({layer.bias, {layer.out}});
  }
  return shapes;
}

void Mlp::initialize(ParameterSet& parameters, std::uint64_t first_tensor, const Philox& noise) const {
  for (const Layer& layer : layers_) {
    const double bound = 1 / std::sqrt(static_cast<double>(layer.in));
    for (const std::string& name : {layer.weight, layer.bias}) {
      Tensor values = at::empty(parameters[name].sizes(), at::kFloat);
      noise.fill_uniform({values.data_ptr<float>(), static_cast<std::size_t>(values.numel())},
                         Purpose::initialization, 0, first_tensor++);
      parameters[name].copy_(values.mul_(2 * bound).sub_(bound));
    }
  }
}

at::Tensor& Mlp::forward(const ParameterSet& parameters, const at::Tensor& input) {
  input_ = input;
  const at::Tensor* previous = &input_;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    outputs_[i] = rows_of(layer.output, input.size(0), layer.out, input.options());
    at::addmm_out(outputs_[i], parameters[layer.bias], *previous, parameters[layer.weight].t());
    if (i + 1 < layers_.size()) activate(outputs_[i]);
    previous = &outputs_[i];
  }
  return outputs_.back();
}

at::Tensor Mlp::backward(const ParameterSet& parameters, const at::Tensor& output_gradient,
                         ParameterSet& gradients, bool wants_input_gradient) {
  at::Tensor gradient = output_gradient;
  for (std::size_t i = layers_.size(); i-- > 0;) {
    Layer& layer = layers_[i];
    const at::Tensor& input = i == 0 ? input_ : outputs_[i - 1];
    at::Tensor weight_gradient = gradients[layer.weight];
    at::Tensor bias_gradient = gradients[layer.bias];
    at::mm_out(weight_gradient, gradient.t(), input);  // ∂W = Gᵀ·X
    at::sum_out(bias_gradient, gradient, 0);           // ∂b = Σ rows of G
    if (i == 0 && !wants_input_gradient) return {};
    at::Tensor input_gradient = rows_of(layer.input_gradient, gradient.size(0), layer.in, gradient.options());
    at::mm_out(input_gradient, gradient, parameters[layer.weight]);  // ∂X = G·W
    if (i > 0) through_activation(input, input_gradient);
    gradient = input_gradient;
  }
  return gradient;
}

void Mlp::activate(at::Tensor& values) const {
  activation_ == Activation::relu ? values.relu_() : values.tanh_();
}

// Both derivatives follow from the output a: relu' = [a > 0], tanh' = 1 − a².
void Mlp::through_activation(const at::Tensor& output, at::Tensor& gradient) const {
  if (activation_ == Activation::relu) {
    at::threshold_backward_out(gradient, gradient, output, 0);
  } else {
    at::tanh_backward_out(gradient, gradient, output);
  }
}

}  // namespace svi
