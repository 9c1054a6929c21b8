#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mlp.hpp"
#include "network.hpp"
#include "svi/base/options.hpp"

namespace svi {

/// The keys of section `model` that say what networks are like.
struct NetworkOptions {
  MlpOptions layers;

  void describe(OptionSet& options);
};

/// From features to `outputs` numbers.
/// @param hidden widths of the fully connected layers between
std::unique_ptr<Network> make_encoder(const NetworkOptions& options,
                                      const std::vector<std::int64_t>& feature_shape,
                                      const std::vector<std::int64_t>& hidden, std::int64_t outputs);

/// From `inputs` numbers to `width` numbers, which tell of features as a likelihood says.
std::unique_ptr<Network> make_decoder(const NetworkOptions& options, std::int64_t inputs,
                                      const std::vector<std::int64_t>& hidden,
                                      const std::vector<std::int64_t>& feature_shape, std::int64_t width);

}  // namespace svi
