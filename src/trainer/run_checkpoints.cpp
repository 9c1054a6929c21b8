#include "run_checkpoints.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <utility>

#include "divergence.hpp"
#include "svi/base/error.hpp"

namespace svi::trainer {

RunCheckpoints::RunCheckpoints(const std::string& folder, const CheckpointOptions& options,
                               checkpoint::CheckpointFacts facts, const UpdateRule& rule, Observer& observer)
    : store_(folder, options.keep_last),
      options_(options),
      facts_(std::move(facts)),
      rule_(rule),
      observer_(observer) {}

bool RunCheckpoints::is_due(const TrainingState& state) {
  if (options_.every_steps > 0 && state.step % options_.every_steps == 0) return true;
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - last_;
  return options_.every_seconds > 0 && since.count() >= options_.every_seconds;
}

checkpoint::Checkpoint RunCheckpoints::snapshot(const TrainingState& state, const Progress& progress,
                                                const Metrics& metrics) const {
  // The next step would find out; a checkpoint must not outlive that.
  const auto require_finite = [&](const ParameterSet& set, const char* what) {
    for (const Tensor& buffer : set.buffers()) {
      for (const Tensor& part : buffer.flatten().split(1 << 20)) {  // whole, it would need a copy
        if (at::isfinite(part).all().item<bool>()) continue;
        throw Error(ExitCode::internal, "{}", divergence_text(what, state.step, rule_));
      }
    }
  };
  require_finite(state.parameters, "the parameters are");
  for (const auto& [name, set] : state.optimizer) require_finite(set, "the optimizer's tensors are");
  checkpoint::Checkpoint snapshot{facts_, state};
  snapshot.facts.epoch = progress.epoch;
  snapshot.facts.metrics = metrics.values;
  return snapshot;
}

void RunCheckpoints::save(const TrainingState& state, const Progress& progress, const Metrics& metrics) {
  const std::string path = store_.save(snapshot(state, progress, metrics));
  last_ = std::chrono::steady_clock::now();
  observer_.on_event({progress, "checkpoint", fmt::format("saved {}", path)});
}

void RunCheckpoints::save_best(const TrainingState& state, const Progress& progress, const Metrics& metrics) {
  store_.save_best(snapshot(state, progress, metrics));
}

}  // namespace svi::trainer
