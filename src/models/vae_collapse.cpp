#include "vae_collapse.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "vae.hpp"

namespace svi::vae {

namespace {

constexpr double least_of_a_dimension = 0.01;  // nats
constexpr double least_of_all = 0.1;           // nats

// "0, 3-7, 12"
std::string ranges_text(std::span<const std::int64_t> ascending) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < ascending.size();) {
    std::size_t last = i;
    while (last + 1 < ascending.size() && ascending[last + 1] == ascending[last] + 1) ++last;
    parts.push_back(last == i ? fmt::format("{}", ascending[i])
                              : fmt::format("{}-{}", ascending[i], ascending[last]));
    i = last + 1;
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// What this configuration does not do yet.
std::vector<std::string> remedies(const VaeOptions& options, std::int64_t left) {
  const KlOptions& kl = options.kl;
  std::vector<std::string> list;
  const bool is_elbo = options.bound.bound == "elbo";
  if (kl.weight > 1) list.push_back(fmt::format("lower objective.kl.weight, which is {}", kl.weight));
  if (kl.capacity > 0) {
    list.push_back(fmt::format("raise objective.kl.capacity, which is {}", kl.capacity));
  } else {
    list.emplace_back(
        kl.schedule == "constant"
            ? "let the KL's weight rise from 0 (objective.kl.schedule: linear, with "
              "objective.kl.warmup_epochs)"
            : "let the KL's weight rise more slowly (objective.kl.warmup_epochs or warmup_steps)");
    if (is_elbo && options.bound.gradient == "plain") {  // else refused, see Bound
      list.push_back(kl.free_bits > 0
                         ? fmt::format("raise objective.kl.free_bits, which is {}", kl.free_bits)
                         : "keep some of each dimension's KL free (objective.kl.free_bits: 0.1)");
    }
  }
  if (is_elbo && kl.capacity == 0 && kl.free_bits == 0 && !kl.balancing)
    list.emplace_back("train a tighter bound (objective.bound: iwae, with objective.samples: 5)");
  if (left > 0) list.push_back(fmt::format("or make do without them (model.latent: {})", left));
  return list;
}

}  // namespace

CollapseMonitor::CollapseMonitor(std::int64_t latent, std::int64_t steps_per_epoch, std::int64_t full_from)
    : latent_(latent), window_(std::clamp<std::int64_t>(steps_per_epoch, 100, 1000)), full_from_(full_from) {}

SumLayout CollapseMonitor::layout() const {
  return {{"window_kl", latent_}, {"window_rows", 1}, {"collapsed", latent_}};
}

Collapse CollapseMonitor::watch(std::int64_t step, std::span<const double> kl, double rows,
                                std::map<std::string, std::vector<double>>& watched) const {
  for (const auto& [name, length] : layout()) watched[name].resize(static_cast<std::size_t>(length));
  std::vector<double>& sums = watched["window_kl"];
  double& sum_of_rows = watched["window_rows"].front();
  for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += kl[j];
  sum_of_rows += rows;
  if (step % window_ != 0) return {};
  Collapse collapsed;
  if (step - window_ >= std::max(window_, full_from_))
    collapsed = judge(sums, sum_of_rows, watched["collapsed"]);
  std::ranges::fill(sums, 0);
  sum_of_rows = 0;
  return collapsed;
}

Collapse CollapseMonitor::judge(std::span<const double> kl, double rows, std::vector<double>& told) const {
  const double total = std::accumulate(kl.begin(), kl.end(), 0.0);
  Collapse found{.dimensions = {}, .named_before = std::ranges::count(told, 1.0)};
  for (std::int64_t j = 0; j < latent_; ++j) {
    const auto i = static_cast<std::size_t>(j);
    const bool is_collapsed = kl[i] < least_of_a_dimension * rows || total < least_of_all * rows;
    if (is_collapsed && told[i] == 0) found.dimensions.push_back(j);
  }
  if (std::ssize(found.dimensions) < found.named_before) return {};
  for (const std::int64_t j : found.dimensions) told[static_cast<std::size_t>(j)] = 1;
  return found;
}

Notice collapse_notice(const VaeOptions& options, const Collapse& collapse, std::int64_t step,
                       std::int64_t window) {
  const std::int64_t count = std::ssize(collapse.dimensions);
  const std::int64_t in_all = count + collapse.named_before;
  const std::string more = collapse.named_before == 0 ? fmt::format("{} of {}", count, options.latent)
                                                      : fmt::format("{} more of {}", count, options.latent);
  return {"posterior_collapse",
          fmt::format(
              "the posterior has collapsed in {} latent dimensions ({}, counted from 0){}: in steps {} to "
              "{} {}; to mend it, {}; see docs/posterior-collapse.md",
              more, ranges_text(collapse.dimensions),
              collapse.named_before == 0 ? "" : fmt::format(", {} in all", in_all), step - window + 1, step,
              count == options.latent ? "the KL was close to 0, so that the decoder ignores z"
                                      : fmt::format("their KL was below {} nats each, so that the decoder "
                                                    "ignores them",
                                                    least_of_a_dimension),
              fmt::join(remedies(options, options.latent - in_all), ", "))};
}

}  // namespace svi::vae
