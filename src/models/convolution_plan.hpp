#pragma once

#include <cstdint>
#include <vector>

#include "svi/base/options.hpp"

namespace svi {

/// The keys of section `model` that belong to convolutional networks.
struct ConvolutionOptions {
  std::vector<std::int64_t> channels = {32, 64};
  std::vector<std::int64_t> kernels = {4};
  std::vector<std::int64_t> strides = {2};
  std::int64_t residual_blocks = 0;

  void describe(OptionSet& options);
};

/// Feature maps of one row.
struct MapSize {
  std::int64_t channels = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;

  std::int64_t units() const { return channels * rows * columns; }
};

/// A convolution of the encoder from `before` to `after`; turned round, one of the decoder.
struct ConvolutionStage {
  MapSize before;
  MapSize after;
  std::int64_t kernel = 0;
  std::int64_t stride = 0;

  /// On each side, so that rows and columns come out divided by the stride.
  std::int64_t padding() const { return (kernel - stride) / 2; }
};

/// The encoder's convolutions in their order, each of whose sizes is divided by its stride without rest, and
/// none of which pads maps by more than they measure.
/// @param feature_shape [height, width] or [height, width, channels]
/// @throws Error (bad_config) for rows that are no pictures, for lists that do not fit each other, and naming
/// the layer where sizes do not come out. **Local.**
std::vector<ConvolutionStage> plan_convolutions(const ConvolutionOptions& options,
                                                const std::vector<std::int64_t>& feature_shape);

}  // namespace svi
