#include "mlp.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <vector>

#include "initialisation.hpp"

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

void MlpOptions::describe(OptionSet& options) {
  options.choice("activation", activation, activation_names(), "after each hidden layer");
  options.choice("normalisation", normalisation, {"none", "layer"},
                 "of hidden layers, before their activation");
  options.choice("initialisation", initialisation, {"uniform", "he", "glorot"},
                 "of weights: uniform as PyTorch's layers start; he for relu and its kin, glorot for tanh");
  options.real("dropout", dropout, {.lowest = 0, .highest = 1, .highest_is_open = true}, "",
               "the share of each hidden layer's units left out in training, drawn for each row and step; of "
               "feature maps whole channels");
}

Mlp::Mlp(std::string name, std::vector<std::int64_t> widths, MlpOptions options)
    : options_(std::move(options)) {
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    Layer layer;
    layer.weight = fmt::format("{}.{}/weight", name, i);
    layer.bias = fmt::format("{}.{}/bias", name, i);
    layer.in = widths[i];
    layer.out = widths[i + 1];
    layer.product = LinearProduct(options_.in_bfloat16);
    if (i + 2 < widths.size()) {
      layer.activation = activation_of(options_.activation);
      if (options_.normalisation == "layer") layer.gain = fmt::format("{}.{}/gain", name, i);
    }
    layer.dropout = Dropout(options_.dropout);
    layers_.push_back(std::move(layer));
  }
  outputs_.resize(layers_.size());
  before_.resize(layers_.size());
  normalised_.resize(layers_.size());
}

std::vector<ParameterShape> Mlp::parameter_shapes() const {
  std::vector<ParameterShape> shapes;
  for (const Layer& layer : layers_) {
    shapes.push_back({layer.weight, {layer.out, layer.in}});
    shapes.push_back({layer.bias, {layer.out}});
    if (!layer.gain.empty()) shapes.push_back({layer.gain, {layer.out}});
  }
  return shapes;
}

void Mlp::initialize(ParameterSet& parameters, std::uint64_t first_tensor, const Philox& noise) const {
  InitialValues values(options_.initialisation, noise, first_tensor);
  for (const Layer& layer : layers_) {
    values.fill(parameters[layer.weight], parameters[layer.bias], static_cast<double>(layer.in),
                static_cast<double>(layer.out));
    if (!layer.gain.empty()) values.fill(parameters[layer.gain], 1);
  }
}

// A hidden layer's output and its gradient; what of it is seen, and the factors, with dropout.
std::int64_t Mlp::units_per_row() const {
  std::int64_t units = 0;
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i)
    units += (options_.dropout > 0 ? 4 : 2) * layers_[i].out;
  return units;
}

at::Tensor& Mlp::forward(const ParameterSet& parameters, const at::Tensor& input,
                         const TrainingRows* training) {
  input_ = input;
  const at::Tensor* previous = &input_;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    outputs_[i] = rows_of(layer.output, input.size(0), layer.out, input.options());
    layer.product.forward(*previous, parameters[layer.weight], outputs_[i]);
    if (!layer.gain.empty()) normalise(parameters, i);
    if (keeps_argument(layer.activation))
      before_[i] = rows_of(layer.before, input.size(0), layer.out, input.options());
    const at::Tensor bias = layer.gain.empty() ? parameters[layer.bias] : at::Tensor();
    activate(layer.activation, bias, outputs_[i], before_[i]);
    if (i + 1 == layers_.size()) break;
    previous = &layer.dropout.forward(outputs_[i], training, static_cast<std::int64_t>(i));
  }
  return outputs_.back();
}

at::Tensor Mlp::backward(const ParameterSet& parameters, const at::Tensor& output_gradient,
                         ParameterSet& gradients, bool wants_input_gradient) {
  at::Tensor gradient = output_gradient.contiguous();
  for (std::size_t i = layers_.size(); i-- > 0;) {
    Layer& layer = layers_[i];
    const at::Tensor& input = i == 0 ? input_ : layers_[i - 1].dropout.output();
    at::Tensor weight_gradient = gradients[layer.weight];
    at::Tensor bias_gradient = layer.gain.empty() ? gradients[layer.bias] : at::Tensor();
    through_activation(layer.activation, outputs_[i], before_[i], gradient, bias_gradient);
    if (!layer.gain.empty()) gradient = through_normalisation(parameters, i, gradient, gradients);
    layer.product.backward_weight(gradient, input, weight_gradient);
    if (i == 0 && !wants_input_gradient) return {};
    at::Tensor input_gradient = rows_of(layer.input_gradient, gradient.size(0), layer.in, gradient.options());
    layer.product.backward_input(gradient, parameters[layer.weight], input_gradient);
    if (i > 0) layers_[i - 1].dropout.backward(input_gradient);
    gradient = input_gradient;
  }
  return gradient;
}

namespace {

constexpr double smallest = 1e-5;  // added to a row's variance, as in PyTorch

}  // namespace

// gain · (y − mean) / deviation + bias of each row y of x·Wᵀ.
void Mlp::normalise(const ParameterSet& parameters, std::size_t i) {
  const Layer& layer = layers_[i];
  const auto [values, mean, inverse] = at::native_layer_norm(outputs_[i], {layer.out}, parameters[layer.gain],
                                                             parameters[layer.bias], smallest);
  normalised_[i] = {outputs_[i].clone(), mean, inverse};
  outputs_[i].copy_(values);
}

at::Tensor Mlp::through_normalisation(const ParameterSet& parameters, std::size_t i,
                                      const at::Tensor& gradient, ParameterSet& gradients) const {
  const Layer& layer = layers_[i];
  const Normalised& normalised = normalised_[i];
  const auto [by_input, by_gain, by_bias] = at::native_layer_norm_backward(
      gradient, normalised.input, {layer.out}, normalised.mean, normalised.inverse, parameters[layer.gain],
      parameters[layer.bias], {true, true, true});
  gradients[layer.gain].copy_(by_gain);
  gradients[layer.bias].copy_(by_bias);
  return by_input;
}

}  // namespace svi
