#include "convolutional_network.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace svi {

namespace {

// [B, height·width·channels] as [B, channels, height, width] without moving a number, and back.
Tensor maps_of(const Tensor& rows, const MapSize& size) {
  return rows.view({rows.size(0), size.rows, size.columns, size.channels}).permute({0, 3, 1, 2});
}

Tensor rows_of(const Tensor& maps) { return maps.permute({0, 2, 3, 1}).reshape({maps.size(0), -1}); }

std::int64_t nonlinearities_of_stage(const ConvolutionalForm& form) { return 1 + 2 * form.residual_blocks; }

void add_blocks(MapStack& maps, const ConvolutionalForm& form, const std::string& network, std::size_t stage,
                std::int64_t number) {
  for (std::int64_t block = 0; block < form.residual_blocks; ++block) {
    maps.push_back(std::make_unique<ResidualBlock>(fmt::format("{}.residual.{}.{}", network, stage, block),
                                                   form.stages[stage].after.channels, form.layers,
                                                   number + 2 * block));
  }
}

// Of each nonlinearity a stage keeps what comes in and what goes out, and perhaps what is between; and two
// gradients at a time.
std::int64_t units_of_maps(const ConvolutionalForm& form) {
  const std::int64_t kept =
      2 + (form.layers.normalisation == "none" ? 0 : 1) + (form.layers.dropout > 0 ? 1 : 0);
  std::int64_t units = 0;
  for (const ConvolutionStage& stage : form.stages)
    units += stage.after.units() * (nonlinearities_of_stage(form) * kept + 2);
  return units;
}

// The same for layers that come after others.
TrainingRows after(const TrainingRows& training, std::int64_t layers) {
  return {training.noise, training.step, training.ids, training.first_layer + layers};
}

std::vector<ParameterShape> shapes_of(const MapStack& maps) {
  std::vector<ParameterShape> shapes;
  maps.add_shapes(shapes);
  return shapes;
}

}  // namespace

ConvolutionalEncoder::ConvolutionalEncoder(const ConvolutionalForm& form,
                                           const std::vector<std::int64_t>& hidden, std::int64_t outputs)
    : form_(form),
      connected_("encoder", layer_widths(form.stages.back().after.units(), hidden, outputs), form.layers) {
  for (std::size_t i = 0; i < form.stages.size(); ++i) {
    const ConvolutionStage& stage = form.stages[i];
    const std::string name = fmt::format("encoder.convolution.{}", i);
    maps_.push_back(std::make_unique<Convolution>(
        name, Convolution::Geometry{stage.before.channels, stage.after.channels, stage.kernel, stage.stride,
                                    stage.padding(), false}));
    add_blocks(maps_, form, "encoder", i, nonlinearities_);
    nonlinearities_ += nonlinearities_of_stage(form);
    maps_.push_back(
        std::make_unique<Nonlinearity>(name, stage.after.channels, form.layers, nonlinearities_ - 1));
  }
}

std::vector<ParameterShape> ConvolutionalEncoder::parameter_shapes() const {
  std::vector<ParameterShape> shapes = shapes_of(maps_);
  for (ParameterShape& shape : connected_.parameter_shapes()) shapes.push_back(std::move(shape));
  return shapes;
}

void ConvolutionalEncoder::initialize(ParameterSet& parameters, std::uint64_t first_tensor,
                                      const Philox& noise) const {
  InitialValues values(form_.layers.initialisation, noise, first_tensor);
  maps_.initialize(parameters, values);
  connected_.initialize(parameters, first_tensor + shapes_of(maps_).size(), noise);
}

Tensor& ConvolutionalEncoder::forward(const ParameterSet& parameters, const Tensor& input,
                                      const TrainingRows* training) {
  const Tensor maps = maps_.forward(parameters, maps_of(input, form_.stages.front().before), training);
  if (training == nullptr) return connected_.forward(parameters, rows_of(maps), nullptr);
  const TrainingRows rest = after(*training, nonlinearities_);
  return connected_.forward(parameters, rows_of(maps), &rest);
}

Tensor ConvolutionalEncoder::backward(const ParameterSet& parameters, const Tensor& output_gradient,
                                      ParameterSet& gradients, bool wants_input_gradient) {
  const Tensor by_rows = connected_.backward(parameters, output_gradient, gradients, true);
  const Tensor by_input = maps_.backward(parameters, maps_of(by_rows, form_.stages.back().after), gradients,
                                         wants_input_gradient);
  return wants_input_gradient ? rows_of(by_input) : Tensor();
}

std::int64_t ConvolutionalEncoder::units_per_row() const {
  return units_of_maps(form_) + form_.stages.back().after.units() + connected_.units_per_row();
}

ConvolutionalDecoder::ConvolutionalDecoder(const ConvolutionalForm& form, std::int64_t inputs,
                                           const std::vector<std::int64_t>& hidden, OutputLayout layout)
    : form_(form),
      layout_(layout),
      connected_("decoder", layer_widths(inputs, hidden, form.stages.back().after.units()), form.layers) {
  std::int64_t number = std::ssize(hidden);  // of the fully connected layers' nonlinearities
  for (std::size_t i = form.stages.size(); i-- > 0;) {
    const ConvolutionStage& stage = form.stages[i];
    const std::string name = fmt::format("decoder.convolution.{}", i);
    add_blocks(maps_, form, "decoder", i, number);
    number += nonlinearities_of_stage(form);
    maps_.push_back(std::make_unique<Nonlinearity>(name, stage.after.channels, form.layers, number - 1));
    maps_.push_back(std::make_unique<Convolution>(
        name,
        Convolution::Geometry{stage.after.channels, stage.before.channels * (i == 0 ? layout.per_feature : 1),
                              stage.kernel, stage.stride, stage.padding(), true}));
  }
}

std::vector<ParameterShape> ConvolutionalDecoder::parameter_shapes() const {
  std::vector<ParameterShape> shapes = connected_.parameter_shapes();
  maps_.add_shapes(shapes);
  return shapes;
}

void ConvolutionalDecoder::initialize(ParameterSet& parameters, std::uint64_t first_tensor,
                                      const Philox& noise) const {
  connected_.initialize(parameters, first_tensor, noise);
  InitialValues values(form_.layers.initialisation, noise,
                       first_tensor + connected_.parameter_shapes().size());
  maps_.initialize(parameters, values);
}

Tensor& ConvolutionalDecoder::forward(const ParameterSet& parameters, const Tensor& input,
                                      const TrainingRows* training) {
  const Tensor& rows = connected_.forward(parameters, input, training);
  output_ = as_outputs(maps_.forward(parameters, maps_of(rows, form_.stages.back().after), training));
  return output_;
}

Tensor ConvolutionalDecoder::backward(const ParameterSet& parameters, const Tensor& output_gradient,
                                      ParameterSet& gradients, bool wants_input_gradient) {
  const Tensor by_rows = rows_of(maps_.backward(parameters, as_maps(output_gradient), gradients, true));
  return connected_.backward(parameters, by_rows, gradients, wants_input_gradient);
}

std::int64_t ConvolutionalDecoder::units_per_row() const {
  return units_of_maps(form_) + form_.stages.back().after.units() + connected_.units_per_row();
}

// The channels are those of the picture, the K outputs of each side by side, or K times those of the picture.
Tensor ConvolutionalDecoder::as_outputs(const Tensor& maps) const {
  const MapSize& size = form_.stages.front().before;
  const std::int64_t parts = layout_.per_feature;
  if (parts == 1 || layout_.is_by_feature) return rows_of(maps);
  return maps.reshape({maps.size(0), parts, size.channels, size.rows, size.columns})
      .permute({0, 1, 3, 4, 2})
      .reshape({maps.size(0), -1});
}

Tensor ConvolutionalDecoder::as_maps(const Tensor& outputs) const {
  const MapSize& size = form_.stages.front().before;
  const std::int64_t parts = layout_.per_feature;
  if (parts == 1 || layout_.is_by_feature)
    return maps_of(outputs, {parts * size.channels, size.rows, size.columns});
  return outputs.view({outputs.size(0), parts, size.rows, size.columns, size.channels})
      .permute({0, 1, 4, 2, 3})
      .reshape({outputs.size(0), parts * size.channels, size.rows, size.columns})
      .contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace svi
