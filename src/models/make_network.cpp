#include "make_network.hpp"

#include <functional>
#include <numeric>

namespace svi {

namespace {

std::int64_t elements(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

ConvolutionalForm form_of(const NetworkOptions& options, const std::vector<std::int64_t>& feature_shape) {
  return {plan_convolutions(options.convolutions, feature_shape), options.convolutions.residual_blocks,
          options.layers};
}

}  // namespace

void NetworkOptions::describe(OptionSet& options) {
  options.choice("network", network, {"mlp", "convolutional"},
                 "mlp: fully connected; convolutional, for pictures of [height, width] or [height, width, "
                 "channels]: convolutions, then the layers of model.encoder; those of model.decoder, then "
                 "transposed convolutions");
  layers.describe(options);
  convolutions.describe(options);
}

std::unique_ptr<Network> make_encoder(const NetworkOptions& options,
                                      const std::vector<std::int64_t>& feature_shape,
                                      const std::vector<std::int64_t>& hidden, std::int64_t outputs) {
  if (options.is_convolutional())
    return std::make_unique<ConvolutionalEncoder>(form_of(options, feature_shape), hidden, outputs);
  return std::make_unique<Mlp>("encoder", layer_widths(elements(feature_shape), hidden, outputs),
                               options.layers);
}

std::unique_ptr<Network> make_decoder(const NetworkOptions& options, std::int64_t inputs,
                                      const std::vector<std::int64_t>& hidden,
                                      const std::vector<std::int64_t>& feature_shape, OutputLayout layout) {
  if (options.is_convolutional())
    return std::make_unique<ConvolutionalDecoder>(form_of(options, feature_shape), inputs, hidden, layout);
  const std::int64_t outputs = layout.per_feature * elements(feature_shape);
  return std::make_unique<Mlp>("decoder", layer_widths(inputs, hidden, outputs), options.layers);
}

}  // namespace svi
