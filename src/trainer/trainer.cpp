#include "svi/trainer/trainer.hpp"

#include <ATen/ATen.h>

#include <cmath>

#include "divergence.hpp"
#include "svi/base/error.hpp"
#include "svi/base/flush_denormals.hpp"
#include "svi/base/stopwatch.hpp"

namespace svi::trainer {

namespace {

SumLayout with_stop_votes(SumLayout terms) {
  terms.emplace_back("stop_votes", 1);
  return terms;
}

}  // namespace

Trainer::Trainer(const TrainerParts& parts, const TrainerSchedule& schedule, std::uint64_t seed)
    : parts_(parts),
      schedule_(schedule),
      noise_(seed),
      evaluator_(parts.model, parts.communicator, seed),
      reduction_(parts.communicator),
      contribution_(ParameterSet(parts.model.parameter_shapes()), with_stop_votes(parts.model.terms())),
      interval_(contribution_.terms.layout()) {}

Outcome Trainer::run(TrainingState& state, const Metrics& last_validation) {
  const FlushDenormals for_speed;
  Outcome outcome{.validation = last_validation};
  while (state.step < schedule_.total_steps && !outcome.was_stopped) {
    const Stopwatch stopwatch;
    // 1. The step's global minibatch, a pure function of (seed, step); here this rank's part of it.
    const Minibatch minibatch = parts_.data.minibatch(state.step);

    // 2. Sums over this rank's data points, and 3. over all ranks: parameters that the model has finished are
    // already on their way while it computes the others.
    contribution_.clear();
    contribution_.terms.scalar("stop_votes") = parts_.stop.is_requested() ? 1 : 0;
    reduction_.begin(contribution_);
    parts_.model.accumulate(state.parameters, minibatch, {noise_, state.previous_means}, contribution_);
    reduction_.finish();
    require_finite(state);

    // 4. The totals as a direction of ascent in the model's geometry, and 5. a step along it.
    parts_.model.to_direction(state.parameters, contribution_);
    Tensor direction = contribution_.statistics.flat();
    parts_.rule.update(state, direction);
    state.step += 1;
    remember_means(state);
    const double seconds = stopwatch.seconds();
    state.training_seconds += seconds;
    interval_seconds_ += seconds;

    // 6. Tell, evaluate and save where due.
    tell_step(state);
    outcome.was_stopped = contribution_.terms.scalar("stop_votes") > 0;
    if (evaluation_is_due(state.step)) validate(state, outcome.validation);
    if (outcome.was_stopped || state.step == schedule_.total_steps || parts_.checkpoints.is_due(state)) {
      parts_.checkpoints.save(state, progress(state), outcome.validation);
    }
  }
  if (!outcome.was_stopped) test(state, outcome.test);
  return outcome;
}

Progress Trainer::progress(const TrainingState& state) const {
  return progress_of(state, schedule_.total_steps, parts_.data.steps_per_epoch());
}

// The totals are the same on every rank, so all ranks leave together.
void Trainer::require_finite(const TrainingState& state) const {
  for (const double term : contribution_.terms.flat()) {
    if (std::isfinite(term)) continue;
    throw AgreedError(ExitCode::internal, "{}", divergence_text("the ELBO is", state.step, parts_.rule));
  }
}

// Objectives that are nonlinear in means over the data take them from the step before.
void Trainer::remember_means(TrainingState& state) const {
  const double rows = contribution_.terms.scalar("rows");
  for (const auto& [name, length] : parts_.model.terms()) {
    if (length == 1) state.previous_means[name] = contribution_.terms.scalar(name) / rows;
  }
}

void Trainer::tell_step(const TrainingState& state) {
  for (std::size_t i = 0; i < interval_.flat().size(); ++i)
    interval_.flat()[i] += contribution_.terms.flat()[i];
  parts_.observer.on_step(progress(state));
  if (state.step % schedule_.log_every != 0 && state.step != schedule_.total_steps) return;

  TrainingRecord record{progress(state),
                        parts_.model.training_metrics(state.parameters, interval_),
                        interval_.scalar("rows") / interval_seconds_,
                        reduction_.take_seconds() / interval_seconds_,
                        parts_.rule.rate_name(),
                        parts_.rule.rate(state.step - 1)};
  parts_.observer.on_training(record);
  interval_.clear();
  interval_seconds_ = 0;
}

bool Trainer::evaluation_is_due(std::int64_t step) const {
  if (step == schedule_.total_steps) return true;
  return schedule_.evaluate_every > 0 && step % schedule_.evaluate_every == 0;
}

void Trainer::validate(TrainingState& state, Metrics& metrics) {
  if (parts_.data.validation_rows() == 0) return;
  metrics = evaluator_.evaluate(state.parameters, parts_.data.validation(), parts_.data.training());
  const std::string name = parts_.model.selection_metric();
  const double value = metrics.values.at(name);
  const bool is_best = value > state.best_value;
  if (is_best) {
    state.best_value = value;
    state.best_step = state.step;
    parts_.checkpoints.save_best(state, progress(state), metrics);
  }
  parts_.observer.on_evaluation({progress(state), "validation", metrics, name, is_best});
}

void Trainer::test(const TrainingState& state, Metrics& metrics) {
  if (parts_.data.test_rows() == 0) return;
  metrics = evaluator_.evaluate(state.parameters, parts_.data.test(), parts_.data.training());
  parts_.observer.on_evaluation({progress(state), "test", metrics, parts_.model.selection_metric()});
}

}  // namespace svi::trainer
