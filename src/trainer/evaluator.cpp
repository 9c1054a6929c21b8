#include "svi/trainer/evaluator.hpp"

#include <algorithm>

namespace svi::trainer {

namespace {

constexpr std::int64_t rows_at_once = 500;

}  // namespace

void Evaluator::pass(Evaluation& evaluation, const data::LocalRows& rows, Metrics& metrics) {
  Sums sums(evaluation.layout());
  for (std::int64_t first = 0; first < rows.size(); first += rows_at_once) {
    evaluation.add(rows.slice(first, std::min(first + rows_at_once, rows.size()), evaluation_step), sums);
  }
  comm::all_reduce_sum(communicator_, sums.flat(), "evaluation");
  Metrics figures = evaluation.finish(sums);
  metrics.values.merge(figures.values);
  metrics.vectors.merge(figures.vectors);
}

Metrics Evaluator::held_out(const ParameterSet& parameters, const data::LocalRows& rows) {
  Metrics metrics;
  pass(*model_.evaluation(parameters, EvaluationRows::held_out, seed_), rows, metrics);
  return metrics;
}

Metrics Evaluator::evaluate(const ParameterSet& parameters, const data::LocalRows& held_out,
                            const data::LocalRows& reference) {
  Metrics metrics = this->held_out(parameters, held_out);
  const auto over_reference = model_.evaluation(parameters, EvaluationRows::training, seed_);
  if (over_reference) pass(*over_reference, reference, metrics);
  return metrics;
}

}  // namespace svi::trainer
