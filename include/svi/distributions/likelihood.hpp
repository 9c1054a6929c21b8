#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "svi/base/options.hpp"

namespace svi {

/// p(x | decoder output), one file a likelihood in src/distributions.
///
/// The decoder's output is [B, D]: one number a feature. float32 or float64, features on the same device.
class Likelihood {
 public:
  virtual ~Likelihood() = default;

  /// Σ over rows of log p(x|output) in nats, and its gradient by the output, times `weight`.
  /// @param x [B, D] @param output [B, D], overwritten by the gradient [B, D]. **Local.**
  virtual double log_likelihood_and_gradient(const at::Tensor& x, at::Tensor& output,
                                             double weight) const = 0;

  /// Log p(x|output) of each row [B] in nats, float64. **Local.**
  virtual at::Tensor log_likelihood(const at::Tensor& x, const at::Tensor& output) const = 0;

  /// E[x | output] [B, D], for pictures and reconstructions. **Local.**
  virtual at::Tensor mean(const at::Tensor& output) const = 0;

  /// @throws Error (bad_data) saying which value does not fit this likelihood
  virtual void require_fit(const at::Tensor& x) const = 0;
};

struct LikelihoodOptions {
  std::string likelihood = "bernoulli";
  double variance = 1.0;

  /// The keys of section `model` that belong to the likelihood.
  void describe(OptionSet& options);
};

std::vector<std::string> likelihood_names();

/// @throws Error (bad_config) for an unknown name
std::unique_ptr<Likelihood> make_likelihood(const LikelihoodOptions& options);

}  // namespace svi
