#include "vae_objective.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "svi/base/error.hpp"
#include "vae.hpp"

namespace svi::vae {

void KlOptions::describe(OptionSet& objective) {
  objective.real("kl.weight", weight, Range::at_least(0), "",
                 "β: what the KL counts in training, at the end of its schedule");
  objective.choice("kl.schedule", schedule, {"constant", "linear", "cosine", "sigmoid", "cyclical"},
                   "how the KL's weight rises from 0 during the warm-up");
  objective.integer("kl.warmup_steps", warmup_steps, Range::between(0, 1e12), "steps",
                    "length of that; 0: given in epochs");
  objective.real("kl.warmup_epochs", warmup_epochs, Range::between(0, 1e9), "epochs",
                 "in place of warmup_steps");
  objective.integer("kl.cycles", cycles, Range::between(1, 10000), "cycles",
                    "cyclical: how often the weight rises during the warm-up");
  objective.real("kl.ramp_fraction", ramp_fraction, {.lowest = 0, .highest = 1, .lowest_is_open = true}, "",
                 "cyclical: share of a cycle in which it rises; it stays for the rest");
  objective.real("kl.free_bits", free_bits, Range::at_least(0), "nats",
                 "a KL that was not above this at the step before is not lowered further; 0: none are free");
  objective.choice("kl.free_bits_per", free_bits_per, {"dimension", "group"},
                   "whose KL is compared: each latent dimension's, or each group's");
  objective.integer("kl.groups", groups, Range::between(1, 1 << 20), "groups",
                    "of consecutive latent dimensions, for free_bits_per: group and balancing");
  objective.flag("kl.balancing", balancing,
                 "during the warm-up groups count by their share of the KL, so that no group falls silent");
  objective.real("kl.capacity", capacity, Range::at_least(0), "nats",
                 "C: training holds the KL at it, whatever kl.weight; 0: none");
  objective.integer("kl.capacity_steps", capacity_steps, Range::between(0, 1e12), "steps",
                    "over which C rises from 0; 0: at once");
  objective.real("kl.capacity_weight", capacity_weight, Range::above(0), "", "γ in γ·|KL − C|");
}

double KlSchedule::factor(std::int64_t step) const {
  if (options_.schedule == "constant" || step >= warmup_steps_) return 1;
  const auto length = static_cast<double>(warmup_steps_);
  const double progress = static_cast<double>(step) / length;
  if (options_.schedule == "cosine") return 0.5 * (1 - std::cos(std::numbers::pi * progress));
  if (options_.schedule == "sigmoid") {
    const auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
    return (logistic(12 * progress - 6) - logistic(-6)) / (logistic(6) - logistic(-6));
  }
  if (options_.schedule == "cyclical") {
    const double phase = static_cast<double>(step * options_.cycles % warmup_steps_) / length;
    return std::min(1.0, phase / options_.ramp_fraction);
  }
  return progress;
}

bool KlTerm::is_uniform() const {
  return std::all_of(weights.begin(), weights.end(), [this](double value) { return value == weight; });
}

double KlTerm::subtracted(std::span<const double> kl, double rows) const {
  return std::inner_product(kl.begin(), kl.end(), weights.begin(), constant * rows);
}

namespace {

// Where group g of `groups` begins, and the one before it ends.
std::size_t first_of_group(std::int64_t group, std::int64_t groups, std::int64_t latent) {
  return static_cast<std::size_t>(group * latent / groups);
}

// The KL of dimensions [first, last), by its mean at the step before.
double kl_of(std::span<const double> previous, std::size_t first, std::size_t last) {
  double sum = 0;
  for (std::size_t j = first; j < std::min(last, previous.size()); ++j) sum += previous[j];
  return sum;
}

std::int64_t warmup_of(const KlOptions& options, const DataShape& shape) {
  if (options.warmup_steps > 0 || options.warmup_epochs == 0) return options.warmup_steps;
  const double steps = options.warmup_epochs * static_cast<double>(shape.steps_per_epoch);
  return std::max<std::int64_t>(1, std::llround(steps));
}

// A schedule needs a length, and a length a schedule.
void require_warmup(const KlOptions& options) {
  const bool by_steps = options.warmup_steps > 0;
  const bool by_epochs = options.warmup_epochs > 0;
  if (by_steps && by_epochs) {
    throw Error(ExitCode::bad_config,
                "objective.kl.warmup_steps is {} and objective.kl.warmup_epochs {}; give one of them",
                options.warmup_steps, options.warmup_epochs);
  }
  if (options.schedule == "constant" && (by_steps || by_epochs)) {
    throw Error(ExitCode::bad_config,
                "objective.kl.{} has no effect with objective.kl.schedule: constant; choose linear, cosine, "
                "sigmoid or cyclical",
                by_steps ? "warmup_steps" : "warmup_epochs");
  }
  if (options.schedule != "constant" && !by_steps && !by_epochs) {
    throw Error(ExitCode::bad_config,
                "objective.kl.schedule is {} but has no length; set objective.kl.warmup_steps or "
                "objective.kl.warmup_epochs",
                options.schedule);
  }
}

void require_within_run(const KlOptions& options, const DataShape& shape) {
  const std::int64_t warmup = warmup_of(options, shape);
  if (shape.total_steps == 0) return;  // of a trained model
  const bool by_steps = options.warmup_steps > 0;
  if (warmup > shape.total_steps) {
    throw Error(
        ExitCode::bad_config,
        "objective.kl.{} makes the warm-up end at step {}, but the run ends at step {} (train.steps, "
        "train.epochs): the KL would never have its whole weight; shorten the warm-up, or train longer",
        by_steps ? "warmup_steps" : "warmup_epochs", warmup, shape.total_steps);
  }
  if (options.schedule == "cyclical" && warmup < options.cycles) {
    throw Error(ExitCode::bad_config, "objective.kl.cycles is {}, but the warm-up has only {} steps",
                options.cycles, warmup);
  }
  if (options.capacity > 0 && options.capacity_steps > shape.total_steps) {
    throw Error(ExitCode::bad_config,
                "objective.kl.capacity_steps is {}, but the run ends at step {} (train.steps, train.epochs): "
                "the capacity would never be reached; lower it, or train longer",
                options.capacity_steps, shape.total_steps);
  }
}

void require_groups(const KlOptions& options, std::int64_t latent) {
  if (options.groups > latent) {
    throw Error(ExitCode::bad_config, "objective.kl.groups is {}, but model.latent has only {} dimensions",
                options.groups, latent);
  }
  const bool frees_groups = options.free_bits_per == "group";
  if (frees_groups && options.free_bits == 0) {
    throw Error(
        ExitCode::bad_config,
        "objective.kl.free_bits_per: group has no effect while objective.kl.free_bits is 0; set it, or "
        "leave out free_bits_per");
  }
  if (options.groups > 1 && !options.balancing && !frees_groups) {
    throw Error(
        ExitCode::bad_config,
        "objective.kl.groups is {}, but nothing goes by groups; set objective.kl.free_bits_per: group "
        "or objective.kl.balancing: true, or leave groups out",
        options.groups);
  }
  if (!options.balancing) return;
  if (options.groups < 2) {
    throw Error(
        ExitCode::bad_config,
        "objective.kl.balancing weighs groups against each other; set objective.kl.groups to 2 or more");
  }
  if (options.schedule == "constant") {
    throw Error(ExitCode::bad_config,
                "objective.kl.balancing acts while the KL's weight rises, but objective.kl.schedule is "
                "constant; choose another and its warm-up");
  }
}

// |KL − C| stands in the place of the weighted KL.
void require_capacity_alone(const KlOptions& options) {
  if (options.capacity == 0 && options.capacity_steps > 0) {
    throw Error(ExitCode::bad_config,
                "objective.kl.capacity_steps is {}, but objective.kl.capacity is 0, which is none; set it, "
                "or leave out capacity_steps",
                options.capacity_steps);
  }
  if (options.capacity == 0) return;
  const char* other = options.weight != 1              ? "weight"
                      : options.schedule != "constant" ? "schedule"
                      : options.free_bits > 0          ? "free_bits"
                      : options.balancing              ? "balancing"
                                                       : nullptr;
  if (other == nullptr) return;
  throw Error(ExitCode::bad_config,
              "objective.kl.capacity takes the place of the weighted KL and does not go with "
              "objective.kl.{}; remove one of them (the weight of |KL − C| is objective.kl.capacity_weight)",
              other);
}

}  // namespace

KlObjective::KlObjective(const KlOptions& options, std::int64_t latent, const DataShape& shape)
    : options_(options),
      latent_(latent),
      full_from_(options.capacity > 0 ? options.capacity_steps : warmup_of(options, shape)),
      schedule_(options, warmup_of(options, shape)) {
  require_warmup(options);
  require_within_run(options, shape);
  require_groups(options, latent);
  require_capacity_alone(options);
}

KlTerm KlObjective::at(std::int64_t step, std::span<const double> previous) const {
  if (options_.capacity > 0) return towards_capacity(step, previous);
  const double factor = schedule_.factor(step);
  KlTerm term{.weight = options_.weight * factor};
  term.weights.assign(static_cast<std::size_t>(latent_), term.weight);
  if (options_.balancing && factor < 1) balance(previous, term);
  if (options_.free_bits > 0) keep_free(previous, term);
  return term;
}

KlTerm KlObjective::towards_capacity(std::int64_t step, std::span<const double> previous) const {
  const double share = options_.capacity_steps == 0
                           ? 1
                           : static_cast<double>(step) / static_cast<double>(options_.capacity_steps);
  const double capacity = options_.capacity * std::min(1.0, share);
  const double kl = kl_of(previous, 0, previous.size());
  const double sign = kl > capacity ? 1 : kl < capacity ? -1 : 0;
  KlTerm term{.weight = options_.capacity_weight * sign};
  term.weights.assign(static_cast<std::size_t>(latent_), term.weight);
  term.constant = -term.weight * capacity;
  return term;
}

void KlObjective::balance(std::span<const double> previous, KlTerm& term) const {
  std::vector<double> shares;
  for (std::int64_t g = 0; g < options_.groups; ++g) {
    const std::size_t first = first_of_group(g, options_.groups, latent_);
    const std::size_t last = first_of_group(g + 1, options_.groups, latent_);
    const double kl = std::max(0.0, kl_of(previous, first, last));  // by samples it may be negative
    shares.push_back((kl + 0.01) / static_cast<double>(last - first));
  }
  const double mean =
      std::accumulate(shares.begin(), shares.end(), 0.0) / static_cast<double>(options_.groups);
  for (std::int64_t g = 0; g < options_.groups; ++g) {
    const std::size_t last = first_of_group(g + 1, options_.groups, latent_);
    for (std::size_t j = first_of_group(g, options_.groups, latent_); j < last; ++j)
      term.weights[j] *= shares[static_cast<std::size_t>(g)] / mean;
  }
}

void KlObjective::keep_free(std::span<const double> previous, KlTerm& term) const {
  const std::int64_t units = options_.free_bits_per == "dimension" ? latent_ : options_.groups;
  for (std::int64_t u = 0; u < units; ++u) {
    const std::size_t first = first_of_group(u, units, latent_);
    const std::size_t last = first_of_group(u + 1, units, latent_);
    if (kl_of(previous, first, last) > options_.free_bits) continue;
    term.constant += term.weights[first] * options_.free_bits;
    for (std::size_t j = first; j < last; ++j) term.weights[j] = 0;
  }
}

void add_kl_gradient(const Pass& pass, bool is_analytic, std::span<const double> weights, Tensor& gradient) {
  const std::int64_t latent = std::ssize(weights);
  const Tensor weight = at::empty({latent}, at::kDouble);
  std::copy(weights.begin(), weights.end(), weight.data_ptr<double>());
  const Tensor w = weight.to(gradient.options());  // [Z]
  const Tensor mean = pass.posterior.narrow(1, 0, latent);
  const Tensor deviation = at::exp(0.5 * pass.posterior.narrow(1, latent, latent));
  Tensor by_mean = gradient.narrow(1, 0, latent);
  Tensor by_log_variance = gradient.narrow(1, latent, latent);
  if (is_analytic) {
    by_mean.sub_(w * mean);
    by_log_variance.sub_(0.5 * w * (deviation * deviation - 1));
    return;
  }
  const Tensor z = pass.draws.z.view({-1, mean.size(0), latent});  // [L, B, Z]
  const Tensor noise = pass.draws.noise.view_as(z);
  by_mean.sub_(w * z.mean(0));
  by_log_variance.add_(0.5 * w * (1 - deviation * (z * noise).mean(0)));
}

}  // namespace svi::vae
