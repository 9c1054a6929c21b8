#include "convolution_plan.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "svi/base/error.hpp"

namespace svi {

void ConvolutionOptions::describe(OptionSet& options) {
  options.integers(
      "channels", channels, Range::between(1, 65536), "maps",
      "of a convolutional network: after each of the encoder's convolutions; the decoder's go the "
      "same way back");
  options.integers("kernels", kernels, Range::between(1, 255), "pixels",
                   "of a convolutional network: width and height, one number for all layers or one for each; "
                   "larger than the stride by an even number, or equal, and by at most twice the longer side "
                   "of the maps it meets");
  options.integers("strides", strides, Range::between(1, 255), "pixels",
                   "of a convolutional network: one number for all layers or one for each; each divides the "
                   "height and width that it meets");
  options.integer("residual_blocks", residual_blocks, Range::between(0, 1000), "blocks",
                  "of a convolutional network: after each of the encoder's convolutions, and before the "
                  "decoder's");
}

namespace {

MapSize picture_size(const std::vector<std::int64_t>& shape) {
  if (shape.size() == 2) return {1, shape[0], shape[1]};
  if (shape.size() == 3) return {shape[2], shape[0], shape[1]};
  throw Error(ExitCode::bad_config,
              "model.network convolutional needs pictures, rows of shape [height, width] or [height, width, "
              "channels]; the data have rows of shape [{}]; choose model.network: mlp",
              fmt::join(shape, ", "));
}

std::int64_t of_layer(const char* key, const std::vector<std::int64_t>& list, std::size_t layer,
                      std::size_t layers) {
  if (list.size() == 1) return list[0];
  if (list.size() == layers) return list[layer];
  throw Error(
      ExitCode::bad_config,
      "model.{} has {} numbers for the {} layers of model.channels; give one for all, or one for each", key,
      list.size(), layers);
}

std::string divisors_of(std::int64_t number) {
  std::vector<std::int64_t> divisors;
  for (std::int64_t d = 1; d <= number && d <= 255; ++d)
    if (number % d == 0) divisors.push_back(d);
  return fmt::format("{}", fmt::join(divisors, ", "));
}

void require_closing(const ConvolutionStage& stage, std::size_t layer) {
  const auto& [channels, rows, columns] = stage.before;
  if (rows % stage.stride != 0 || columns % stage.stride != 0) {
    throw Error(
        ExitCode::bad_config,
        "layer {} of model.channels (kernel {}, stride {}) meets maps of {} rows and {} columns, which "
        "its stride does not divide; a stride of {} would; set model.strides with a number for each "
        "layer, or remove layers",
        layer + 1, stage.kernel, stage.stride, rows, columns, divisors_of(std::gcd(rows, columns)));
  }
  if (stage.kernel < stage.stride || (stage.kernel - stage.stride) % 2 != 0) {
    throw Error(ExitCode::bad_config,
                "layer {} of model.channels (kernel {}, stride {}) meets maps of {} rows and {} columns, and "
                "cannot make {} and {} of them with the same padding on all sides; with this stride "
                "model.kernels fits as {}, {} or {}",
                layer + 1, stage.kernel, stage.stride, rows, columns, rows / stage.stride,
                columns / stage.stride, stage.stride, stage.stride + 2, stage.stride + 4);
  }
  const std::int64_t longer = std::max(rows, columns);
  if (stage.padding() <= longer) return;
  throw Error(ExitCode::bad_config,
              "layer {} of model.channels (kernel {}, stride {}) meets maps of {} rows and {} columns and "
              "would pad them by {} on each side, more than they measure; with this stride model.kernels fits "
              "up to {}",
              layer + 1, stage.kernel, stage.stride, rows, columns, stage.padding(), stage.stride + 2 * longer);
}

}  // namespace

std::vector<ConvolutionStage> plan_convolutions(const ConvolutionOptions& options,
                                                const std::vector<std::int64_t>& feature_shape) {
  MapSize size = picture_size(feature_shape);
  const std::size_t layers = options.channels.size();
  if (layers == 0)
    throw Error(ExitCode::bad_config, "model.channels is empty; give a number of maps for each layer");
  std::vector<ConvolutionStage> stages;
  for (std::size_t i = 0; i < layers; ++i) {
    ConvolutionStage stage{.before = size,
                           .kernel = of_layer("kernels", options.kernels, i, layers),
                           .stride = of_layer("strides", options.strides, i, layers)};
    require_closing(stage, i);
    size = {options.channels[i], size.rows / stage.stride, size.columns / stage.stride};
    stage.after = size;
    stages.push_back(stage);
  }
  return stages;
}

}  // namespace svi
