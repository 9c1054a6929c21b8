#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "svi/base/options.hpp"
#include "svi/core/parameter_set.hpp"

namespace svi::vae {

struct Pass;

/// The keys objective.bound, what belongs to it, and objective.gradient.
struct BoundOptions {
  std::string bound = "elbo";
  std::int64_t groups = 1;
  double ciwae_weight = 0.5;
  double renyi_alpha = 0.5;
  std::string gradient = "plain";

  void describe(OptionSet& objective);
};

/// A bound of the rows by K draws each, and what ∂ ln w of each draw counts in its gradient. float64.
struct BoundTerms {
  Tensor value;    ///< [B] nats
  Tensor decoder;  ///< [K, B] for the decoder's parameters
  Tensor encoder;  ///< [K, B] for the encoder's, along the path through z; perhaps the same tensor
};

/// Bounds of ln p(x) by K draws with w_k = p(x, z_k) / q(z_k|x), and estimators of their gradients.
///
/// All are made of B(M, a) = 1/M Σ_groups 1/a · ln mean w^a, over M groups of K/M draws:
/// elbo B(K, 1); iwae B(1, 1) (Burda, Grosse and Salakhutdinov 2016); miwae B(M, 1), ciwae c·B(K, 1) +
/// (1 − c)·B(1, 1), piwae B(1, 1) for the decoder and B(M, 1) for the encoder (Rainforth et al.
/// 2018); renyi B(1, 1 − α) (Li and Turner 2016). With w̃ = w^a normalised within its group, ∂B/∂ ln w =
/// w̃/M.
///
/// Gradients by the encoder: plain, exact for the sampled bound; stl (Roeder, Wu and Duvenaud 2017) leaves
/// out the score ∂ ln q(z|x) at fixed z, which biases all but the elbo; dreg (Tucker et al. 2019) replaces
/// it, unbiased, by multiplying the path's coefficients with 1 − βa(1 − w̃): w̃² for the iwae. β is the KL's
/// weight within ln w. **Local.**
class Bound {
 public:
  /// @param samples K @param is_analytic objective.elbo is analytic @param kl_uses_means free bits,
  /// balancing or a capacity
  /// @throws Error (bad_config) on keys that do not go together
  Bound(const BoundOptions& options, std::int64_t samples, bool is_analytic, bool kl_uses_means);

  /// @param log_weights ln w [K, B] float64
  BoundTerms at(const Tensor& log_weights, double kl_weight) const;

  bool is_elbo() const { return options_.bound == "elbo"; }
  /// The elbo with its plain gradient, which needs no weights.
  bool is_plain_elbo() const { return is_elbo() && options_.gradient == "plain"; }
  /// Whether the encoder's gradient holds the score.
  bool keeps_score() const { return options_.gradient == "plain"; }
  /// Whether coefficients for the encoder may be large where the decoder's are small.
  bool parts_networks() const { return options_.bound == "piwae"; }

 private:
  BoundTerms part(const Tensor& log_weights, double kl_weight, std::int64_t groups, double power) const;

  BoundOptions options_;
  std::int64_t samples_;
};

/// ln w of each draw [K, B] float64: ln p(x|z) + kl_weight · (ln p(z) − ln q(z|x)).
/// @param log_likelihood [K·B] float64. **Local.**
Tensor log_weights(const Pass& pass, const Tensor& log_likelihood, double kl_weight);

/// The gradient by the posterior's parameters [B, 2Z].
/// @param z_gradient of Σ coefficient · ln p(x|z) [K·B, Z] @param coefficients of ln p(z) − ln q(z|x) [K, B]
/// @param keeps_score whether ln q's own parameters count too. **Local.**
Tensor posterior_gradient(const Pass& pass, const Tensor& z_gradient, const Tensor& coefficients,
                          bool keeps_score);

}  // namespace svi::vae
