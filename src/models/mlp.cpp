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
  options.choice("activation", activation, {"relu", "leaky_relu", "tanh", "gelu", "silu"},
                 "after each hidden layer");
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
    if (options_.normalisation == "layer" && i + 2 < widths.size())
      layer.gain = fmt::format("{}.{}/gain", name, i);
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
  for (std::size_t i = 0; is_hidden(i); ++i) units += (options_.dropout > 0 ? 4 : 2) * layers_[i].out;
  return units;
}

at::Tensor& Mlp::forward(const ParameterSet& parameters, const at::Tensor& input,
                         const TrainingRows* training) {
  input_ = input;
  const at::Tensor* previous = &input_;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    outputs_[i] = rows_of(layer.output, input.size(0), layer.out, input.options());
    if (layer.gain.empty()) {
      at::addmm_out(outputs_[i], parameters[layer.bias], *previous, parameters[layer.weight].t());
    } else {
      at::mm_out(outputs_[i], *previous, parameters[layer.weight].t());
      normalise(parameters, i);
    }
    if (!is_hidden(i)) break;
    activate(i);
    previous = &layer.dropout.forward(outputs_[i], training, static_cast<std::int64_t>(i));
  }
  return outputs_.back();
}

at::Tensor Mlp::backward(const ParameterSet& parameters, const at::Tensor& output_gradient,
                         ParameterSet& gradients, bool wants_input_gradient) {
  at::Tensor gradient = output_gradient;
  for (std::size_t i = layers_.size(); i-- > 0;) {
    Layer& layer = layers_[i];
    const at::Tensor& input = i == 0 ? input_ : layers_[i - 1].dropout.output();
    at::Tensor weight_gradient = gradients[layer.weight];
    at::Tensor bias_gradient = gradients[layer.bias];
    if (layer.gain.empty()) {
      at::sum_out(bias_gradient, gradient, 0);  // ∂b = Σ rows of G
    } else {
      gradient = through_normalisation(parameters, i, gradient, gradients);
    }
    at::mm_out(weight_gradient, gradient.t(), input);  // ∂W = Gᵀ·X
    if (i == 0 && !wants_input_gradient) return {};
    at::Tensor input_gradient = rows_of(layer.input_gradient, gradient.size(0), layer.in, gradient.options());
    at::mm_out(input_gradient, gradient, parameters[layer.weight]);  // ∂X = G·W
    if (i > 0) {
      layers_[i - 1].dropout.backward(input_gradient);
      through_activation(i - 1, input_gradient);
    }
    gradient = input_gradient;
  }
  return gradient;
}

namespace {

constexpr double leak = 0.01;      // of a leaky rectified unit, as in PyTorch
constexpr double smallest = 1e-5;  // added to a row's variance, as in PyTorch

// Whose derivative follows from the input, not from the output.
bool keeps_input(const std::string& activation) { return activation == "gelu" || activation == "silu"; }

}  // namespace

void Mlp::activate(std::size_t i) {
  at::Tensor& values = outputs_[i];
  const std::string& activation = options_.activation;
  if (keeps_input(activation)) {
    before_[i] = rows_of(layers_[i].before, values.size(0), values.size(1), values.options());
    before_[i].copy_(values);
    activation == "gelu" ? at::gelu_out(values, before_[i]) : at::silu_out(values, before_[i]);
  } else if (activation == "relu") {
    values.relu_();
  } else if (activation == "leaky_relu") {
    at::leaky_relu_(values, leak);
  } else {
    values.tanh_();
  }
}

// From the output a: relu' = [a > 0], leaky [a > 0] + leak [a ≤ 0], tanh' = 1 − a².
void Mlp::through_activation(std::size_t i, at::Tensor& gradient) const {
  const std::string& activation = options_.activation;
  if (activation == "gelu") {
    at::gelu_backward_out(gradient, gradient, before_[i]);
  } else if (activation == "silu") {
    at::silu_backward_out(gradient, gradient, before_[i]);
  } else if (activation == "relu") {
    at::threshold_backward_out(gradient, gradient, outputs_[i], 0);
  } else if (activation == "leaky_relu") {
    at::leaky_relu_backward_out(gradient, gradient, outputs_[i], leak, true);
  } else {
    at::tanh_backward_out(gradient, gradient, outputs_[i]);
  }
}

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
