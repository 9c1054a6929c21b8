#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "convolution_plan.hpp"
#include "convolutional_network.hpp"
#include "mlp.hpp"
#include "network.hpp"
#include "svi/base/options.hpp"

namespace svi {

/// The keys of section `model` that say what networks are like.
struct NetworkOptions {
  std::string network = "mlp";
  MlpOptions layers;
  ConvolutionOptions convolutions;

  void describe(OptionSet& options);
  /// Convolutions are LibTorch's work and never in bfloat16.
  bool is_convolutional() const { return network == "convolutional"; }
};

/// From features to `outputs` numbers.
/// @param hidden widths of the fully connected layers between
/// @throws Error (bad_config) when features and convolutions do not go together
std::unique_ptr<Network> make_encoder(const NetworkOptions& options,
                                      const std::vector<std::int64_t>& feature_shape,
                                      const std::vector<std::int64_t>& hidden, std::int64_t outputs);

/// From `inputs` numbers to those that tell of features.
std::unique_ptr<Network> make_decoder(const NetworkOptions& options, std::int64_t inputs,
                                      const std::vector<std::int64_t>& hidden,
                                      const std::vector<std::int64_t>& feature_shape, OutputLayout layout);

}  // namespace svi
