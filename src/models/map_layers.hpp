#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "activation.hpp"
#include "dropout.hpp"
#include "initialisation.hpp"
#include "mlp.hpp"
#include "network.hpp"
#include "svi/core/parameter_set.hpp"

namespace svi {

/// A step on feature maps [B, channels, height, width], whose channels stand innermost in memory, with its
/// backward pass. **Local.**
class MapLayer {
 public:
  virtual ~MapLayer() = default;
  virtual void add_shapes(std::vector<ParameterShape>& shapes) const = 0;
  virtual void initialize(ParameterSet& parameters, InitialValues& values) const = 0;
  /// @param maps kept by reference until `backward`, and perhaps overwritten, but not by a Convolution
  virtual Tensor forward(const ParameterSet& parameters, Tensor maps, const TrainingRows* training) = 0;
  /// Overwrites the parameters' gradients, and may overwrite `gradient`, which is by the last result.
  /// @return the gradient by the maps; undefined when not wanted
  virtual Tensor backward(const ParameterSet& parameters, Tensor gradient, ParameterSet& gradients,
                          bool wants_input_gradient) = 0;
};

/// A convolution with bias, or its transpose with one: "<name>/weight" [out, in, kernel, kernel], of a
/// transposed one [in, out, kernel, kernel], and "<name>/bias" [out].
class Convolution : public MapLayer {
 public:
  struct Geometry {
    std::int64_t in = 0;
    std::int64_t out = 0;
    std::int64_t kernel = 0;
    std::int64_t stride = 1;
    std::int64_t padding = 0;
    bool is_transposed = false;
  };

  Convolution(const std::string& name, Geometry geometry);

  void add_shapes(std::vector<ParameterShape>& shapes) const override;
  void initialize(ParameterSet& parameters, InitialValues& values) const override;
  Tensor forward(const ParameterSet& parameters, Tensor maps, const TrainingRows* training) override;
  Tensor backward(const ParameterSet& parameters, Tensor gradient, ParameterSet& gradients,
                  bool wants_input_gradient) override;

 private:
  std::string weight_;
  std::string bias_;
  Geometry geometry_;
  Tensor input_;
};

/// Normalisation where it is wanted, activation and dropout.
///
/// A row's maps are normalised together, over channels and pixels, with a gain and a shift for each channel:
/// layer normalisation (Ba, Kiros and Hinton 2016), or group normalisation of one group (Wu and He 2018).
class Nonlinearity : public MapLayer {
 public:
  /// @param name with normalisation, of "<name>/gain" and "<name>/shift" [channels]
  /// @param number of this layer, for what is dropped
  Nonlinearity(const std::string& name, std::int64_t channels, const MlpOptions& options,
               std::int64_t number);

  void add_shapes(std::vector<ParameterShape>& shapes) const override;
  void initialize(ParameterSet& parameters, InitialValues& values) const override;
  Tensor forward(const ParameterSet& parameters, Tensor maps, const TrainingRows* training) override;
  Tensor backward(const ParameterSet& parameters, Tensor gradient, ParameterSet& gradients,
                  bool wants_input_gradient) override;

 private:
  Tensor normalised(const ParameterSet& parameters, const Tensor& maps);
  Tensor through_normalisation(const ParameterSet& parameters, const Tensor& gradient,
                               ParameterSet& gradients) const;

  std::string gain_;  // empty without normalisation
  std::string shift_;
  std::int64_t channels_;
  std::int64_t number_;
  Activation activation_;
  Dropout dropout_;
  Tensor value_;     // of the activation
  Tensor argument_;  // likewise, where its derivative needs that
  Tensor input_;     // of the normalisation
  Tensor mean_;      // of each row [B, 1]
  Tensor inverse_;   // 1 / its standard deviation
};

/// Layers one after another.
class MapStack : public MapLayer {
 public:
  void push_back(std::unique_ptr<MapLayer> layer) { layers_.push_back(std::move(layer)); }

  void add_shapes(std::vector<ParameterShape>& shapes) const override;
  void initialize(ParameterSet& parameters, InitialValues& values) const override;
  Tensor forward(const ParameterSet& parameters, Tensor maps, const TrainingRows* training) override;
  Tensor backward(const ParameterSet& parameters, Tensor gradient, ParameterSet& gradients,
                  bool wants_input_gradient) override;

 private:
  std::vector<std::unique_ptr<MapLayer>> layers_;
};

/// x + convolution(a(convolution(a(x)))) with kernels of 3 pixels and a a Nonlinearity: the block with its
/// activations before the weights (He, Zhang, Ren and Sun 2016, "Identity mappings in deep residual
/// networks", figure 4e).
class ResidualBlock : public MapLayer {
 public:
  /// @param number of its first nonlinearity; the second has the next one
  ResidualBlock(const std::string& name, std::int64_t channels, const MlpOptions& options,
                std::int64_t number);

  void add_shapes(std::vector<ParameterShape>& shapes) const override;
  void initialize(ParameterSet& parameters, InitialValues& values) const override;
  Tensor forward(const ParameterSet& parameters, Tensor maps, const TrainingRows* training) override;
  Tensor backward(const ParameterSet& parameters, Tensor gradient, ParameterSet& gradients,
                  bool wants_input_gradient) override;

 private:
  MapStack branch_;
};

}  // namespace svi
