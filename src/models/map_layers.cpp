#include "map_layers.hpp"

#include <ATen/ATen.h>

#include <array>
#include <tuple>
#include <utility>

namespace svi {

Convolution::Convolution(const std::string& name, Geometry geometry)
    : weight_(name + "/weight"), bias_(name + "/bias"), geometry_(geometry) {}

void Convolution::add_shapes(std::vector<ParameterShape>& shapes) const {
  const auto& [in, out, kernel, stride, padding, is_transposed] = geometry_;
  shapes.push_back({weight_, {is_transposed ? in : out, is_transposed ? out : in, kernel, kernel}});
  shapes.push_back({bias_, {out}});
}

// Each of the smaller maps' pixels meets the whole kernel, each of the larger ones' 1/stride² of it.
void Convolution::initialize(ParameterSet& parameters, InitialValues& values) const {
  const auto area = static_cast<double>(geometry_.kernel * geometry_.kernel);
  const double part = area / static_cast<double>(geometry_.stride * geometry_.stride);
  values.fill(parameters[weight_], parameters[bias_],
              static_cast<double>(geometry_.in) * (geometry_.is_transposed ? part : area),
              static_cast<double>(geometry_.out) * (geometry_.is_transposed ? area : part));
}

Tensor Convolution::forward(const ParameterSet& parameters, Tensor maps, const TrainingRows*) {
  const std::array stride{geometry_.stride, geometry_.stride};
  const std::array padding{geometry_.padding, geometry_.padding};
  input_ = maps;
  return at::convolution(input_, parameters[weight_], parameters[bias_], stride, padding, {1, 1},
                         geometry_.is_transposed, {0, 0}, 1)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

Tensor Convolution::backward(const ParameterSet& parameters, Tensor gradient, ParameterSet& gradients,
                             bool wants_input_gradient) {
  const std::array stride{geometry_.stride, geometry_.stride};
  const std::array padding{geometry_.padding, geometry_.padding};
  const std::array bias_sizes{geometry_.out};
  const auto [by_input, by_weight, by_bias] = at::convolution_backward(
      gradient, input_, parameters[weight_], at::OptionalIntArrayRef(bias_sizes), stride, padding, {1, 1},
      geometry_.is_transposed, {0, 0}, 1, {wants_input_gradient, true, true});
  gradients[weight_].copy_(by_weight);
  gradients[bias_].copy_(by_bias);
  return by_input.defined() ? by_input.contiguous(at::MemoryFormat::ChannelsLast) : Tensor();
}

Nonlinearity::Nonlinearity(const std::string& name, std::int64_t channels, const MlpOptions& options,
                           std::int64_t number)
    : channels_(channels),
      number_(number),
      activation_(activation_of(options.activation)),
      dropout_(options.dropout) {
  if (options.normalisation == "none") return;
  gain_ = name + "/gain";
  shift_ = name + "/shift";
}

void Nonlinearity::add_shapes(std::vector<ParameterShape>& shapes) const {
  if (gain_.empty()) return;
  shapes.push_back({gain_, {channels_}});
  shapes.push_back({shift_, {channels_}});
}

void Nonlinearity::initialize(ParameterSet& parameters, InitialValues& values) const {
  if (gain_.empty()) return;
  values.fill(parameters[gain_], 1);
  values.fill(parameters[shift_], 0);
}

Tensor Nonlinearity::forward(const ParameterSet& parameters, Tensor maps, const TrainingRows* training) {
  value_ = gain_.empty() ? std::move(maps) : normalised(parameters, maps);
  if (keeps_argument(activation_)) argument_ = at::empty_like(value_);
  activate(activation_, Tensor(), value_, argument_);
  return dropout_.forward(value_, training, number_);
}

Tensor Nonlinearity::backward(const ParameterSet& parameters, Tensor gradient, ParameterSet& gradients,
                              bool /*wants_input_gradient*/) {
  Tensor sums;  // no bias
  dropout_.backward(gradient);
  through_activation(activation_, value_, argument_, gradient, sums);
  return gain_.empty() ? gradient : through_normalisation(parameters, gradient, gradients);
}

Tensor Nonlinearity::normalised(const ParameterSet& parameters, const Tensor& maps) {
  constexpr double smallest = 1e-5;  // added to a row's variance, as in PyTorch
  input_ = maps;
  Tensor values;
  std::tie(values, mean_, inverse_) =
      at::native_group_norm(maps, parameters[gain_], parameters[shift_], maps.size(0), channels_,
                            maps.size(2) * maps.size(3), 1, smallest);
  return values;
}

Tensor Nonlinearity::through_normalisation(const ParameterSet& parameters, const Tensor& gradient,
                                           ParameterSet& gradients) const {
  const auto [by_input, by_gain, by_shift] =
      at::native_group_norm_backward(gradient, input_, mean_, inverse_, parameters[gain_], input_.size(0),
                                     channels_, input_.size(2) * input_.size(3), 1, {true, true, true});
  gradients[gain_].copy_(by_gain);
  gradients[shift_].copy_(by_shift);
  return by_input;
}

void MapStack::add_shapes(std::vector<ParameterShape>& shapes) const {
  for (const auto& layer : layers_) layer->add_shapes(shapes);
}

void MapStack::initialize(ParameterSet& parameters, InitialValues& values) const {
  for (const auto& layer : layers_) layer->initialize(parameters, values);
}

Tensor MapStack::forward(const ParameterSet& parameters, Tensor maps, const TrainingRows* training) {
  for (const auto& layer : layers_) maps = layer->forward(parameters, maps, training);
  return maps;
}

Tensor MapStack::backward(const ParameterSet& parameters, Tensor gradient, ParameterSet& gradients,
                          bool wants_input_gradient) {
  for (std::size_t i = layers_.size(); i-- > 0;)
    gradient = layers_[i]->backward(parameters, gradient, gradients, i > 0 || wants_input_gradient);
  return gradient;
}

ResidualBlock::ResidualBlock(const std::string& name, std::int64_t channels, const MlpOptions& options,
                             std::int64_t number) {
  for (const char* part : {".0", ".1"}) {
    branch_.push_back(std::make_unique<Nonlinearity>(name + part, channels, options, number++));
    branch_.push_back(std::make_unique<Convolution>(
        name + part, Convolution::Geometry{.in = channels, .out = channels, .kernel = 3, .padding = 1}));
  }
}

void ResidualBlock::add_shapes(std::vector<ParameterShape>& shapes) const { branch_.add_shapes(shapes); }

void ResidualBlock::initialize(ParameterSet& parameters, InitialValues& values) const {
  branch_.initialize(parameters, values);
}

Tensor ResidualBlock::forward(const ParameterSet& parameters, Tensor maps, const TrainingRows* training) {
  return branch_.forward(parameters, maps.clone(), training).add_(maps);
}

// The branch ends in a convolution, which leaves its result's gradient as it is.
Tensor ResidualBlock::backward(const ParameterSet& parameters, Tensor gradient, ParameterSet& gradients,
                               bool /*wants_input_gradient*/) {
  return branch_.backward(parameters, gradient, gradients, true).add_(gradient);
}

}  // namespace svi
