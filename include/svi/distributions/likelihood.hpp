#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "svi/base/options.hpp"
#include "svi/core/parameter_set.hpp"

namespace svi {

/// What each row's log-likelihood counts in a sum: one number for all rows, or one for each besides.
class RowWeights {
 public:
  RowWeights(double common) : common_(common) {}  // NOLINT: a number is meant wherever one is given
  /// @param each [B] on the output's device @param common a factor of all of them
  explicit RowWeights(const Tensor& each, double common = 1);

  /// Σ_b w_b · rows[b]. @param rows [B] float64
  double sum(const Tensor& rows) const;
  /// Multiplies each row by its weight, in place. @param gradient [B, …]
  void scale(Tensor& gradient) const;
  /// Of one row, on the host.
  double operator[](std::int64_t row) const;

 private:
  double common_;
  Tensor each_;  // [B] float64; undefined: all one
};

/// Which files the features come from, and how bytes are read.
enum class FeatureKind {
  real,    ///< dense rows; a byte is a grey value, byte/255
  levels,  ///< dense rows of whole numbers; a byte is one
  counts,  ///< word counts, none of the words that don't occur
};

/// p(x | decoder output), one file a likelihood in src/distributions.
///
/// The decoder's output is [B, width(D)]. float32 or float64, features on the same device. Learned parameters
/// stand in the model's ParameterSet beside those of the networks; all begin at zero. **Local.**
class Likelihood {
 public:
  virtual ~Likelihood() = default;

  /// The decoder's width for D features.
  virtual std::int64_t width(std::int64_t features) const { return features; }
  /// Where the width is K·D: whether the K outputs of a feature stand side by side, [D, K], or those of all
  /// features do, [K, D].
  virtual bool is_laid_out_by_feature() const { return false; }
  /// Parameters that are learned beside the networks, "likelihood/…"; none for most.
  virtual std::vector<ParameterShape> parameter_shapes(std::int64_t /*features*/) const { return {}; }
  virtual FeatureKind feature_kind() const { return FeatureKind::real; }
  /// What the encoder sees of x. @param x [B, D]
  virtual Tensor encoder_input(const Tensor& x) const { return x; }
  /// The value of a white pixel.
  virtual double white() const { return 1; }

  /// Σ over rows of log p(x|output) in nats, each times its weight, and the gradient of that sum.
  /// @param x [B, D] @param output [B, width], overwritten by the gradient by it
  /// @param gradients of `parameter_shapes`, added to; others are not touched
  virtual double log_likelihood_and_gradient(const Tensor& x, Tensor& output, const RowWeights& weights,
                                             const ParameterSet& parameters,
                                             ParameterSet& gradients) const = 0;

  /// Log p(x|output) of each row [B] in nats, float64.
  virtual Tensor log_likelihood(const Tensor& x, const Tensor& output,
                                const ParameterSet& parameters) const = 0;

  /// E[x | output] [B, D], for pictures and reconstructions; with a library size, per count of it.
  virtual Tensor mean(const Tensor& output) const = 0;

  /// @param ids [B] the rows' numbers in their file
  /// @throws Error (bad_data) saying which row and which value does not fit this likelihood
  virtual void require_fit(const Tensor& x, std::span<const std::int64_t> ids) const = 0;
};

struct LikelihoodOptions {
  std::string likelihood = "bernoulli";
  NumberOrWord variance = {.number = 1.0};
  std::int64_t levels = 256;

  /// The keys of section `model` that belong to the likelihood.
  void describe(OptionSet& options);
};

std::vector<std::string> likelihood_names();

/// @throws Error (bad_config) for an unknown name
std::unique_ptr<Likelihood> make_likelihood(const LikelihoodOptions& options);

}  // namespace svi
