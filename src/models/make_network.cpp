#include "make_network.hpp"

#include <functional>
#include <numeric>

namespace svi {

namespace {

std::vector<std::int64_t> widths(std::int64_t first, const std::vector<std::int64_t>& hidden,
                                 std::int64_t last) {
  std::vector<std::int64_t> all{first};
  all.insert(all.end(), hidden.begin(), hidden.end());
  all.push_back(last);
  return all;
}

std::int64_t elements(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace

void NetworkOptions::describe(OptionSet& options) { layers.describe(options); }

std::unique_ptr<Network> make_encoder(const NetworkOptions& options,
                                      const std::vector<std::int64_t>& feature_shape,
                                      const std::vector<std::int64_t>& hidden, std::int64_t outputs) {
  return std::make_unique<Mlp>("encoder", widths(elements(feature_shape), hidden, outputs), options.layers);
}

std::unique_ptr<Network> make_decoder(const NetworkOptions& options, std::int64_t inputs,
                                      const std::vector<std::int64_t>& hidden,
                                      const std::vector<std::int64_t>& /*feature_shape*/, std::int64_t width) {
  return std::make_unique<Mlp>("decoder", widths(inputs, hidden, width), options.layers);
}

}  // namespace svi
