#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "svi/base/options.hpp"
#include "svi/models/model.hpp"

namespace svi::vae {

struct Pass;

/// The keys objective.kl.*
struct KlOptions {
  double weight = 1.0;
  std::string schedule = "constant";
  std::int64_t warmup_steps = 0;
  double warmup_epochs = 0;
  std::int64_t cycles = 4;
  double ramp_fraction = 0.5;
  double free_bits = 0;
  std::string free_bits_per = "dimension";
  std::int64_t groups = 1;
  bool balancing = false;
  double capacity = 0;
  std::int64_t capacity_steps = 0;
  double capacity_weight = 1000;

  void describe(OptionSet& objective);
};

/// What share of its weight the KL has at each step, from 0 at step 0 to 1 from `warmup_steps` on.
///
/// With s = step / warmup_steps: linear s; cosine ½(1 − cos πs); sigmoid, the logistic function of 12s − 6
/// (Bowman et al. 2016), moved and stretched by 0.5 % so that it begins at 0 and ends at 1; cyclical (Fu et
/// al. 2019): `cycles` times from 0 to 1 over `ramp_fraction` of a cycle, then 1 for the rest of it.
/// **Local.**
class KlSchedule {
 public:
  KlSchedule(const KlOptions& options, std::int64_t warmup_steps)
      : options_(options), warmup_steps_(warmup_steps) {}
  double factor(std::int64_t step) const;

 private:
  KlOptions options_;
  std::int64_t warmup_steps_;
};

/// What the KL counts at one step. The objective of a data point is ln p(x|z) − Σ_j weights[j]·KL_j −
/// constant, which has the gradient of what the options ask for, under the previous step's means.
struct KlTerm {
  double weight = 1;            ///< β: of each dimension where nothing tells them apart
  std::vector<double> weights;  ///< [Z]
  double constant = 0;          ///< nats per data point: floors, or what the capacity forgives

  bool is_uniform() const;
  /// Σ over rows of what is subtracted. @param kl Σ over rows by dimension [Z] nats
  double subtracted(std::span<const double> kl, double rows) const;
};

/// What of a VAE's KL is trained: a pure function of the step and of the previous step's mean KL by
/// dimension, the same on every rank (design §2: nothing nonlinear in the minibatch's own means).
///
/// - free bits λ (Kingma, Salimans et al. 2016): β Σ_u max(λ, KL_u) over units u, a dimension or a group
/// each;
///   while KL_u was not above λ its gradient is exactly zero.
/// - balancing (Vahdat and Kautz 2020, and their code): while β still rises group g counts γ_g ∝
///   (max(0, KL_g) + 0.01) / its dimensions, with mean 1 over groups.
/// - capacity (Burgess et al. 2018): γ·|KL − C_t| in place of β·KL, C_t rising to C over
///   `capacity_steps`.
///
/// Deviation from all three: their means are those of the step before, zero at step 0.
/// Group g of G has the dimensions [⌊gZ/G⌋, ⌊(g + 1)Z/G⌋). **Local.**
class KlObjective {
 public:
  /// @throws Error (bad_config) on keys that contradict each other, the latent's width or the run's length
  KlObjective(const KlOptions& options, std::int64_t latent, const DataShape& shape);

  /// @param previous the mean KL by dimension [Z] nats; empty: zeros
  KlTerm at(std::int64_t step, std::span<const double> previous) const;

  /// Whether the KL counts once at every step.
  bool is_elbo() const { return options_.weight == 1 && !varies() && !uses_means(); }
  /// Whether `KlTerm::weight` differs between steps.
  bool varies() const { return options_.schedule != "constant" || options_.capacity > 0; }
  /// The step from which the KL has its whole weight, or its capacity.
  std::int64_t full_from() const { return full_from_; }
  bool uses_means() const { return options_.free_bits > 0 || options_.balancing || options_.capacity > 0; }

 private:
  KlTerm towards_capacity(std::int64_t step, std::span<const double> previous) const;
  void balance(std::span<const double> previous, KlTerm& term) const;
  void keep_free(std::span<const double> previous, KlTerm& term) const;

  KlOptions options_;
  std::int64_t latent_;
  std::int64_t full_from_;
  KlSchedule schedule_;
};

/// Adds the gradient of −Σ_j weights[j]·KL_j by the posterior's parameters.
/// @param is_analytic the KL in closed form, else by the draws @param weights [Z] @param gradient [B, 2Z],
/// added to. **Local.**
void add_kl_gradient(const Pass& pass, bool is_analytic, std::span<const double> weights, Tensor& gradient);

}  // namespace svi::vae
