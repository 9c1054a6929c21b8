#include "svi/trainer/evaluator.hpp"

#include <algorithm>

#include "svi/base/error.hpp"

namespace svi::trainer {

namespace {

constexpr std::int64_t rows_at_once = 500;

}  // namespace

void require_fit(const Model& model, const data::LocalRows& rows, const std::string& where) try {
  constexpr std::int64_t rows_checked_at_once = 4096;
  for (std::int64_t first = 0; first < rows.size(); first += rows_checked_at_once)
    model.require_fit(rows.slice(first, std::min(first + rows_checked_at_once, rows.size()), 0));
} catch (const Error& error) {
  throw Error(error.code(), "{}: {}", where, error.what());
}

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
