#pragma once

#include <cstdint>
#include <span>

#include "svi/base/random.hpp"
#include "svi/core/minibatch.hpp"
#include "svi/core/parameter_set.hpp"

namespace svi {

/// q(z|x) of some rows, independent Gaussians.
struct Posterior {
  Tensor mean;       ///< μ [B, Z]
  Tensor deviation;  ///< σ [B, Z]
};

/// The ELBO of single rows in its two parts, each [B] float64 in nats: ELBO = reconstruction − kl.
struct RowBounds {
  Tensor reconstruction;  ///< E_q[ln p(x|z)], by the draws of z that an evaluation makes
  Tensor kl;              ///< KL(q(z|x) ‖ p(z)), in closed form
};

/// What models with a latent vector, q(z|x) = N(μ, diag σ²) and p(z) = N(0, I), can do besides. **Local.**
///
/// What is drawn is keyed by (seed of `noise`, rows.step, rows.ids): the same rows get the same numbers
/// wherever they stand. In float32, also with factors in bfloat16, each element of a fully connected layer's
/// product is summed in a fixed order, whatever rows are beside it. What LibTorch computes, all products in
/// float64 and convolutions, may round a row differently beside other rows; the same block of rows gives the
/// same bits.
class LatentModel {
 public:
  virtual ~LatentModel() = default;

  /// Whether `start_at` is wanted before training begins.
  virtual bool starts_at_data() const { return false; }
  /// Has the decoder's output begin at what rows are on average.
  /// @param means of features [D] float64, on the scale of the file
  virtual void start_at(const Tensor& /*means*/, ParameterSet& /*parameters*/) const {}

  virtual std::int64_t latent() const = 0;  ///< Z
  virtual Posterior encode(const ParameterSet& parameters, const Minibatch& rows, const Philox& noise) = 0;
  /// E[x|z], 1 being white where features are grey values or numbered levels: [B, D].
  /// @param z [B, Z], of the parameters' type
  virtual Tensor decode(const ParameterSet& parameters, const Tensor& z) = 0;
  /// Dense rows on the scale of `decode`: [B, D] float32.
  virtual Tensor pictures(const Minibatch& rows) const = 0;
  /// z ~ p(z): [count, Z]; draw i is the same for any count.
  virtual Tensor prior_draws(const ParameterSet& parameters, std::int64_t count, const Philox& noise) = 0;

  virtual RowBounds bounds(const ParameterSet& parameters, const Minibatch& rows, const Philox& noise) = 0;
  /// ln (1/L) Σ_l p(x, z_l) / q(z_l|x), z_l ~ q(z|x), of each row: [B] float64, nats. Its mean is at most
  /// ln p(x), grows with L and tends to it (Burda, Grosse and Salakhutdinov 2016, eq. 8 with k = L). Draw l
  /// of a row is keyed by (seed, row, l), and every row is computed for itself: its bits depend on no other
  /// row. Memory is bounded whatever L is.
  /// @param samples L ≥ 1
  virtual Tensor log_evidence(const ParameterSet& parameters, const Minibatch& rows, std::int64_t samples,
                              const Philox& noise) = 0;

  /// Bits for one feature of a row of bytes that has this log-likelihood (mean over rows, nats).
  virtual double bits_per_dimension(double log_likelihood) const = 0;
};

/// z = μ + σε, S draws of each row side by side: [B, S·Z]. Draw s of a row is keyed by (seed, row, s): it is
/// the draw that importance sampling takes. **Local.**
/// @param rows the rows' numbers [B]
Tensor posterior_draws(const Posterior& posterior, std::span<const std::int64_t> rows, std::int64_t samples,
                       const Philox& noise);

/// The mutual information of a row's number and z under q, in nats: E[KL(q(z|x) ‖ p(z))] − KL(q(z) ‖ p(z)),
/// q(z) the mean of the rows' q(z|x) (Hoffman and Johnson 2016; as Dieng, Kim, Rush and Blei 2019 report it).
/// It is at most ln B, and 0 where q(z|x) is the same for all rows.
///
/// Estimated by one draw z from each row's q(z|x), keyed by (seed, row), for both terms: the mean of
/// ln q(z|x) − ln q(z). Cost O(B²Z). **Local.**
/// @param rows the rows' numbers [B]
double mutual_information(const Posterior& posterior, std::span<const std::int64_t> rows,
                          const Philox& noise);

}  // namespace svi
