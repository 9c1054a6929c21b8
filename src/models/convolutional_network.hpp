#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "convolution_plan.hpp"
#include "map_layers.hpp"
#include "mlp.hpp"
#include "network.hpp"

namespace svi {

/// How the K·D outputs that tell of D features stand; see Likelihood::is_laid_out_by_feature.
struct OutputLayout {
  std::int64_t per_feature = 1;  ///< K
  bool is_by_feature = false;
};

/// The stages of an encoder, and what they have in common.
struct ConvolutionalForm {
  std::vector<ConvolutionStage> stages;
  std::int64_t residual_blocks = 0;  ///< of each stage
  MlpOptions layers;
};

/// From pictures to numbers: stages of a convolution, residual blocks and a nonlinearity, then fully
/// connected layers. Of stage i the parameters are "encoder.convolution.<i>/…", and those of its blocks
/// "encoder.residual.<i>.<block>.<0 or 1>/…"; of the fully connected layers see Mlp. **Local.**
class ConvolutionalEncoder : public Network {
 public:
  /// @param hidden widths of the fully connected layers between the maps and the outputs
  ConvolutionalEncoder(const ConvolutionalForm& form, const std::vector<std::int64_t>& hidden,
                       std::int64_t outputs);

  std::vector<ParameterShape> parameter_shapes() const override;
  void initialize(ParameterSet& parameters, std::uint64_t first_tensor, const Philox& noise) const override;
  using Network::forward;
  /// @param input [B, height·width·channels], channels innermost
  Tensor& forward(const ParameterSet& parameters, const Tensor& input, const TrainingRows* training) override;
  Tensor backward(const ParameterSet& parameters, const Tensor& output_gradient, ParameterSet& gradients,
                  bool wants_input_gradient) override;
  std::int64_t units_per_row() const override;

 private:
  ConvolutionalForm form_;
  MapStack maps_;
  std::int64_t nonlinearities_ = 0;  // of the maps: they come before the fully connected layers
  Mlp connected_;
};

/// The way back: fully connected layers to the encoder's last maps, then its stages in turn, each of residual
/// blocks, a nonlinearity and a transposed convolution: "decoder.0/…", "decoder.convolution.<i>/…" and
/// "decoder.residual.<i>.<block>.<0 or 1>/…", i the stage of the encoder that it mirrors. The last channels
/// are the likelihood's outputs. **Local.**
class ConvolutionalDecoder : public Network {
 public:
  ConvolutionalDecoder(const ConvolutionalForm& form, std::int64_t inputs,
                       const std::vector<std::int64_t>& hidden, OutputLayout layout);

  std::vector<ParameterShape> parameter_shapes() const override;
  void initialize(ParameterSet& parameters, std::uint64_t first_tensor, const Philox& noise) const override;
  using Network::forward;
  Tensor& forward(const ParameterSet& parameters, const Tensor& input, const TrainingRows* training) override;
  Tensor backward(const ParameterSet& parameters, const Tensor& output_gradient, ParameterSet& gradients,
                  bool wants_input_gradient) override;
  std::int64_t units_per_row() const override;

 private:
  Tensor as_outputs(const Tensor& maps) const;
  Tensor as_maps(const Tensor& outputs) const;

  ConvolutionalForm form_;
  OutputLayout layout_;
  Mlp connected_;
  MapStack maps_;
  Tensor output_;
};

}  // namespace svi
