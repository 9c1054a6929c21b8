#pragma once

#include <cstdint>

#include "svi/base/random.hpp"
#include "svi/core/minibatch.hpp"
#include "svi/core/parameter_set.hpp"

namespace svi {

/// What models with a class y beside the latent vector z, p(x|y, z), can do besides. **Local.**
class LabelModel {
 public:
  virtual ~LabelModel() = default;

  virtual std::int64_t classes() const = 0;  ///< C
  /// q(y|x) [B, C] of the parameters' type, rows sum to one. What is drawn of x itself is keyed by (seed of
  /// `noise`, rows.step, rows.ids).
  virtual Tensor class_probabilities(const ParameterSet& parameters, const Minibatch& rows,
                                     const Philox& noise) = 0;

  /// z ~ p(z): [count, Z]; draw i is the same for any count.
  virtual Tensor latent_draws(const ParameterSet& parameters, std::int64_t count, const Philox& noise) = 0;
  /// E[x|y, z], 1 being white where features are grey values: [B, D].
  /// @param z [B, Z], of the parameters' type @param labels y [B] int64, each in 0 … C − 1
  virtual Tensor decode(const ParameterSet& parameters, const Tensor& z, const Tensor& labels) = 0;
};

}  // namespace svi
