#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "activation.hpp"
#include "dropout.hpp"
#include "linear_product.hpp"
#include "network.hpp"
#include "svi/base/options.hpp"
#include "svi/base/random.hpp"
#include "svi/core/parameter_set.hpp"

namespace svi {

struct MlpOptions {
  bool in_bfloat16 = false;  ///< matrix products, see LinearProduct
  std::string activation = "relu";
  std::string normalisation = "none";
  std::string initialisation = "uniform";
  double dropout = 0;

  /// The keys of section `model` that belong to fully connected networks.
  void describe(OptionSet& options);
};

/// A fully connected network with its backward pass written out on buffers of its own.
///
/// Layer i maps [B, widths[i]] to [B, widths[i + 1]] by x·Wᵀ + b; every layer but the last is followed by
/// layer normalisation where that is wanted (Ba, Kiros, Hinton 2016) and by the activation. Its parameters
/// are
/// `<name>.<i>/weight` [out, in] and `<name>.<i>/bias` [out] of a ParameterSet, and with normalisation
/// `<name>.<i>/gain` [out]; the bias is then added after it. **Local.**
class Mlp : public Network {
 public:
  /// @param widths at least two: input, hidden…, output
  Mlp(std::string name, std::vector<std::int64_t> widths, MlpOptions options);

  std::vector<ParameterShape> parameter_shapes() const override;

  /// See InitialValues. Gains are one.
  void initialize(ParameterSet& parameters, std::uint64_t first_tensor, const Philox& noise) const override;

  using Network::forward;
  at::Tensor& forward(const ParameterSet& parameters, const at::Tensor& input,
                      const TrainingRows* training) override;

  at::Tensor backward(const ParameterSet& parameters, const at::Tensor& output_gradient,
                      ParameterSet& gradients, bool wants_input_gradient) override;

  std::int64_t units_per_row() const override;

 private:
  struct Layer {
    std::string weight;
    std::string bias;
    std::int64_t in = 0;
    std::int64_t out = 0;
    std::string gain;  // empty without normalisation
    Activation activation = Activation::none;
    LinearProduct product{false};
    at::Tensor before;          // [capacity, out], before the activation, where its derivative needs that
    at::Tensor output;          // [capacity, out], after it
    Dropout dropout;            // of a hidden layer's output
    at::Tensor input_gradient;  // [capacity, in]; the first layer's only if it is ever wanted
  };

  // What normalisation leaves for the way back.
  struct Normalised {
    at::Tensor input;    // x·Wᵀ [B, out]
    at::Tensor mean;     // [B, 1]
    at::Tensor inverse;  // 1 / standard deviation [B, 1]
  };

  void normalise(const ParameterSet& parameters, std::size_t layer);
  at::Tensor through_normalisation(const ParameterSet& parameters, std::size_t layer,
                                   const at::Tensor& gradient, ParameterSet& gradients) const;

  std::vector<Layer> layers_;
  MlpOptions options_;
  at::Tensor input_;
  std::vector<at::Tensor> outputs_;  // views of this batch's rows
  std::vector<at::Tensor> before_;   // likewise, empty where not kept
  std::vector<Normalised> normalised_;
};

}  // namespace svi
