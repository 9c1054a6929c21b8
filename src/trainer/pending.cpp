#include "pending.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

namespace svi::trainer {

namespace {

constexpr const char* pending = "pending";

SumLayout terms_of(const Model& model) {
  SumLayout layout = model.terms();
  layout.insert(layout.begin(), {"rows", 1});
  return layout;
}

Tensor numbers_of(const std::vector<std::int32_t>& rows) {
  Tensor numbers = at::empty({std::ssize(rows)}, at::kLong);
  std::ranges::copy(rows, numbers.mutable_data_ptr<std::int64_t>());
  return numbers;
}

}  // namespace

void prepare_pending(const Model& model, TrainingState& state) {
  std::vector<ParameterShape> shapes = state.parameters.shapes();
  for (ParameterShape& shape : shapes) shape.is_lazy = false;  // its rows are their values
  const Tensor& flat = state.parameters.flat();
  state.optimizer[pending] = ParameterSet(std::move(shapes), flat.scalar_type(), flat.device());
  for (const auto& [name, length] : terms_of(model))
    state.pending_terms[name].assign(static_cast<std::size_t>(length), 0.0);
}

SumLayout pending_terms(const Model& model, const TrainingState& state) {
  return state.optimizer.contains(pending) ? terms_of(model) : SumLayout{};
}

void keep_pending(const Contribution& totals, TrainingState& state) {
  const ParameterSet& kept = state.optimizer.at(pending);
  for (const ParameterShape& shape : totals.statistics.shapes())
    kept[shape.name].copy_(totals.statistics[shape.name]);
  if (!totals.lazy_name.empty()) {
    Tensor matrix = kept[totals.lazy_name];
    matrix.zero_().index_copy_(0, numbers_of(totals.rows.rows), totals.rows.values);
  }
  for (auto& [name, values] : state.pending_terms) std::ranges::copy(totals.terms[name], values.begin());
}

bool take_pending(const TrainingState& state, const std::vector<std::int32_t>& always, Contribution& totals) {
  const auto rows = state.pending_terms.find("rows");
  if (rows == state.pending_terms.end() || rows->second.front() == 0) return false;
  const ParameterSet& kept = state.optimizer.at(pending);
  std::vector<std::int32_t> occurring = always;
  if (!totals.lazy_name.empty()) {
    // A word that occurs has counts in some topic.
    const Tensor found = kept[totals.lazy_name].ne(0).any(1).nonzero().flatten();
    for (std::int64_t i = 0; i < found.numel(); ++i)
      occurring.push_back(static_cast<std::int32_t>(found.const_data_ptr<std::int64_t>()[i]));
    std::ranges::sort(occurring);
    occurring.erase(std::ranges::unique(occurring).begin(), occurring.end());
  }
  totals.clear(occurring);
  for (const ParameterShape& shape : totals.statistics.shapes())
    totals.statistics[shape.name].copy_(kept[shape.name]);
  if (!totals.lazy_name.empty())
    totals.rows.values.copy_(kept[totals.lazy_name].index_select(0, numbers_of(occurring)));
  for (const auto& [name, values] : state.pending_terms) std::ranges::copy(values, totals.terms[name].begin());
  return true;
}

}  // namespace svi::trainer
