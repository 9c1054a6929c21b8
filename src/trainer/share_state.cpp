#include "share_state.hpp"

#include <ATen/ATen.h>

#include <cstddef>
#include <vector>

#include "pending.hpp"
#include "svi/trainer/reduction.hpp"

namespace svi::trainer {

namespace {

// The lists of a layout, made where they are missing: zeros before the first step.
template <typename Visit>
void visit_lists(const SumLayout& layout, std::map<std::string, std::vector<double>>& lists, Visit visit) {
  for (const auto& [name, length] : layout) {
    std::vector<double>& list = lists[name];
    list.resize(static_cast<std::size_t>(length));
    for (double& value : list) visit(value);
  }
}

// Every number of the state that is no tensor's element, in an order of its own.
template <typename Visit>
void visit_numbers(const Model& model, TrainingState& state, Visit visit) {
  const auto visit_count = [&](std::int64_t& count) {
    auto number = static_cast<double>(count);
    visit(number);
    count = static_cast<std::int64_t>(number);
  };
  visit_count(state.step);
  visit_count(state.skipped_steps);
  visit_count(state.best_step);
  visit(state.training_seconds);
  visit(state.best_value);
  for (std::size_t i = 0; i < state.parameters.shapes().size(); ++i) {
    LazyScale* lazy = state.parameters.lazy(i);
    if (lazy == nullptr) continue;
    visit(lazy->scale);
    visit(lazy->offset);
    for (double& sum : lazy->sums) visit(sum);
  }
  visit_lists(model.terms(), state.previous_means, visit);
  visit_lists(model.watched(), state.watched, visit);
  visit_lists(pending_terms(model, state), state.pending_terms, visit);
}

}  // namespace

void share_state(const Model& model, comm::Communicator& communicator, TrainingState& state) {
  const auto broadcast = [&](const ParameterSet& set) {
    for (const Tensor& buffer : set.buffers())
      communicator.broadcast(buffer_of(buffer, 0, buffer.numel()), 0, "checkpoint")->wait();
  };
  broadcast(state.parameters);
  for (auto& [name, tensors] : state.optimizer) broadcast(tensors);
  std::vector<double> numbers;
  visit_numbers(model, state, [&](double& number) { numbers.push_back(number); });
  communicator.control().broadcast(comm::buffer_of(std::span(numbers)), 0, "checkpoint")->wait();
  std::size_t next = 0;
  visit_numbers(model, state, [&](double& number) { number = numbers[next++]; });
}

}  // namespace svi::trainer
