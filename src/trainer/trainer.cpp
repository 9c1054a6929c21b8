#include "svi/trainer/trainer.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "divergence.hpp"
#include "nonfinite.hpp"
#include "pending.hpp"
#include "sharing_ranks.hpp"
#include "svi/base/error.hpp"
#include "svi/base/flush_denormals.hpp"
#include "svi/base/stopwatch.hpp"

namespace svi::trainer {

namespace {

SumLayout with_stop_votes(SumLayout terms) {
  terms.emplace_back("stop_votes", 1);
  return terms;
}

bool has_lazy_matrix(const Model& model) {
  return std::ranges::any_of(model.parameter_shapes(), &ParameterShape::is_lazy);
}

}  // namespace

Trainer::Trainer(const TrainerParts& parts, const TrainerSchedule& schedule, TrainingState& state)
    : parts_(parts),
      schedule_(schedule),
      state_(state),
      noise_(state.seed),
      evaluator_(parts.model, parts.communicator, state.seed),
      minibatches_(parts.data, parts.communicator, parts.model.rows_of_every_step(),
                   has_lazy_matrix(parts.model)),
      nothing_(),
      interval_() {
  if (has_lazy_matrix(parts.model) && schedule.shares_memory) share_lazy_matrix();
  const SumLayout terms = with_stop_votes(parts.model.terms());
  for (std::int64_t i = 0; i <= schedule.staleness; ++i)
    sums_.push_back({Contribution(parts.model.parameter_shapes(), state.parameters.flat().scalar_type(), terms,
                                  sharing_.get()),
                     Reduction(parts.communicator)});
  nothing_ = interval_ = Sums(sums_.front().contribution.terms.layout());
  take_pending();
}

Trainer::~Trainer() = default;

// Each rank copies its part of what all have alike, so that the memory lies near the ranks.
void Trainer::share_lazy_matrix() {
  sharing_ = sharing_ranks(parts_.communicator);
  if (!sharing_ || sharing_->size() == 1) return;
  for (const ParameterShape& shape : state_.parameters.shapes()) {
    if (!shape.is_lazy) continue;
    const Tensor& own = state_.parameters[shape.name];
    const std::string name = "parameter " + shape.name;
    std::byte* const first = sharing_->memory(name, own.numel() * own.element_size());
    const Tensor common =
        at::from_blob(first, own.sizes(), [owner = sharing_->owner(name)](void*) {}, own.options());
    const Part part = sharing_->part(own.size(0));
    common.narrow(0, part.first, part.size()).copy_(own.narrow(0, part.first, part.size()));
    sharing_->meet();
    state_.parameters.move_lazy(shape.name, common);
  }
  sharing_->take_seconds();  // of no step
}

Trainer::Sum& Trainer::sum_of(std::int64_t step) {
  return sums_[static_cast<std::size_t>(step % std::ssize(sums_))];
}

// Unless that was done a step ago. Collective.
void Trainer::begin(std::int64_t step) {
  Sum& sum = sum_of(step);
  if (sum.step == step) return;
  // 1. The step's global minibatch, a pure function of (seed, step); here this rank's part of it.
  Minibatch minibatch = minibatches_.take(step);
  sum.step = step;

  // 2. Sums over this rank's data points, and 3. over all ranks: what the model has finished is already on its way
  // while it computes the rest.
  sum.contribution.clear(minibatch.occurring);
  sum.contribution.terms.scalar("stop_votes") = parts_.stop.is_requested() ? 1 : 0;
  sum.reduction.begin(sum.contribution);
  parts_.model.accumulate(state_.parameters, minibatch, {noise_, state_.previous_means}, sum.contribution);
  sum.reduction.start_rest();
  sum.ids = std::move(minibatch.ids);
}

Outcome Trainer::run(const Metrics& last_validation) {
  const FlushDenormals for_speed;
  Outcome outcome{.validation = last_validation};
  while (!is_over() && !outcome.was_stopped) {
    const Stopwatch stopwatch;
    // 1. to 3. The totals of the step's minibatch, which are on their way while the next one is gathered; with
    // staleness they have been since the step before, while those of the next one are computed with the parameters
    // as they are now, ahead of this step's update. So they are at the last step, too: the run may be resumed.
    begin(state_.step);
    const std::int64_t ahead = state_.step + schedule_.staleness;
    begin(ahead);
    if (ahead + 1 < schedule_.total_steps) minibatches_.prepare(ahead + 1);
    Sum& sum = sum_of(state_.step);
    sum.reduction.finish();
    Contribution& totals = sum.contribution;

    // 4. The totals as a direction of ascent in the model's geometry, and 5. a step along it, unless they are
    // not finite: on every rank or on none, since all have the same totals.
    const char* fault = nonfinite_terms(totals);
    if (fault == nullptr) {
      parts_.model.to_direction(state_.parameters, totals);
      totals.measure();
      fault = nonfinite_direction(totals);
    }
    if (fault == nullptr) {
      parts_.rule.update(state_, totals);
      parts_.model.derive(state_.parameters, state_.step + 1);
      remember(totals.terms);
    } else {
      skip(sum, fault);
    }
    state_.step += 1;
    const double seconds = stopwatch.seconds();
    state_.training_seconds += seconds;
    interval_seconds_ += seconds;

    // 6. Tell, evaluate and save where due.
    tell_step();
    tell_notice(fault == nullptr ? totals.terms : nothing_);
    outcome.was_stopped = totals.terms.scalar("stop_votes") > 0;
    if (evaluation_is_due(state_.step)) validate(outcome.validation);
    if (outcome.was_stopped || is_over() || parts_.checkpoints.is_due(state_)) {
      keep_pending();
      parts_.checkpoints.save(state_, progress(), outcome.validation);
    }
  }
  minibatches_.finish();
  sum_of(state_.step).reduction.finish();
  if (!outcome.was_stopped && state_.step < schedule_.total_steps) tell_patience();
  if (!outcome.was_stopped) test(outcome.test);
  return outcome;
}

// What a run that is resumed had computed for its next step. Local.
void Trainer::take_pending() {
  if (schedule_.staleness == 0) return;
  Sum& sum = sum_of(state_.step);
  if (!trainer::take_pending(state_, parts_.model.rows_of_every_step(), sum.contribution)) return;
  sum.step = state_.step;
  sum.ids = parts_.data.minibatch(state_.step).ids;
}

// Waits for the totals of the next step, which checkpoints hold: only on rank 0, which writes them, while the others
// go on and bring their part.
void Trainer::keep_pending() {
  if (schedule_.staleness == 0 || parts_.communicator.rank() != 0) return;
  Sum& sum = sum_of(state_.step);
  sum.reduction.finish();
  trainer::keep_pending(sum.contribution, state_);
}

Progress Trainer::progress() const {
  return progress_of(state_, schedule_.total_steps, parts_.data.steps_per_epoch());
}

// A step that is none: parameters, optimizer and means stay as they were. Its rows are told, and so is the
// end of the run when there were too many. Collective.
void Trainer::skip(const Sum& sum, const char* fault) {
  state_.skipped_steps += 1;
  Progress place = progress();
  place.step += 1;  // the step that was to be completed: a run resumed before it tells it again
  const NonfiniteRecord record{place, fault, sum.contribution.terms,
                               rows_of_all_ranks(parts_.communicator, sum.ids)};
  parts_.observer.on_nonfinite(record);
  parts_.observer.on_event(
      {place, "nonfinite_step",
       fmt::format("no update at step {}: {} not finite; {} lists the rows of its minibatch", place.step,
                   fault, nonfinite_file(place.step))});
  if (state_.skipped_steps <= schedule_.nonfinite_steps) return;
  throw AgreedError(ExitCode::internal, "{}; {} in the run directory lists the rows of that minibatch{}",
                    divergence_text(fault, state_.step, parts_.rule), nonfinite_file(place.step),
                    skips_text(state_.skipped_steps - 1));
}

// For training lines; and objectives that are nonlinear in means over the data take them from the step
// before.
void Trainer::remember(const Sums& totals) {
  for (std::size_t i = 0; i < interval_.flat().size(); ++i) interval_.flat()[i] += totals.flat()[i];
  const double rows = totals.scalar("rows");
  for (const auto& [name, length] : parts_.model.terms()) {
    const std::span<const double> sums = totals[name];
    std::vector<double>& means = state_.previous_means[name];
    means.assign(sums.begin(), sums.end());
    for (double& mean : means) mean /= rows;
  }
}

void Trainer::tell_step() {
  parts_.observer.on_step(progress());
  if (state_.step % schedule_.log_every != 0 && state_.step != schedule_.total_steps) return;

  double waited = sharing_ ? sharing_->take_seconds() : 0;
  for (Sum& sum : sums_) waited += sum.reduction.take_seconds();
  TrainingRecord record{progress(),
                        parts_.model.training_metrics(state_.parameters, interval_),
                        interval_.scalar("rows") / interval_seconds_,
                        waited / interval_seconds_,
                        parts_.rule.rate_name(),
                        parts_.rule.rate(state_.step - 1)};
  parts_.observer.on_training(record);
  interval_.clear();
  interval_seconds_ = 0;
}

void Trainer::tell_notice(const Sums& totals) {
  const std::optional<Notice> notice = parts_.model.watch(state_.step, totals, state_.watched);
  if (notice) parts_.observer.on_event({progress(), notice->name, notice->text});
}

bool Trainer::evaluation_is_due(std::int64_t step) const {
  if (step == schedule_.total_steps) return true;
  return schedule_.evaluate_every > 0 && step % schedule_.evaluate_every == 0;
}

// From the training state and the schedule alone: the same on every rank and after every resume, at whatever
// steps it evaluated before.
bool Trainer::patience_is_spent() const {
  if (schedule_.patience == 0 || schedule_.evaluate_every == 0 || state_.best_step < 0) return false;
  const std::int64_t evaluations =
      state_.step / schedule_.evaluate_every - state_.best_step / schedule_.evaluate_every;
  return evaluations >= schedule_.patience;
}

bool Trainer::is_over() const { return state_.step >= schedule_.total_steps || patience_is_spent(); }

void Trainer::tell_patience() const {
  parts_.observer.on_event(
      {progress(), "patience_spent",
       fmt::format("ended at step {} of {}: {} is no better than {:.6g}, of step {}, after {} evaluations "
                   "(evaluation.patience)",
                   state_.step, schedule_.total_steps, parts_.model.selection_metric(), state_.best_value,
                   state_.best_step, schedule_.patience)});
}

void Trainer::validate(Metrics& metrics) {
  if (parts_.data.validation_rows() == 0) return;
  const std::string name = parts_.model.selection_metric();
  // Not at a last step that the schedule alone does not name: a longer run would have no evaluation there.
  if (schedule_.evaluate_every > 0 && state_.step % schedule_.evaluate_every == 0) {
    parts_.model.tune(state_.parameters, [&] {
      return evaluator_.held_out(evaluated_parameters(state_), parts_.data.validation()).values.at(name);
    });
  }
  metrics =
      evaluator_.evaluate(evaluated_parameters(state_), parts_.data.validation(), parts_.data.reference());
  const double value = metrics.values.at(name);
  const bool is_best = value > state_.best_value;
  if (is_best) {
    state_.best_value = value;
    state_.best_step = state_.step;
    keep_pending();
    parts_.checkpoints.save_best(state_, progress(), metrics);
  }
  parts_.observer.on_evaluation({progress(), "validation", metrics, name, is_best});
}

void Trainer::test(Metrics& metrics) {
  if (parts_.data.test_rows() == 0) return;
  metrics = evaluator_.evaluate(evaluated_parameters(state_), parts_.data.test(), parts_.data.reference());
  parts_.observer.on_evaluation({progress(), "test", metrics, parts_.model.selection_metric()});
}

}  // namespace svi::trainer
