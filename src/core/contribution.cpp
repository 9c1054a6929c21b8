#include "svi/core/contribution.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "svi/base/error.hpp"
#include "svi/core/norm.hpp"
#include "svi/core/parallel.hpp"

namespace svi {

namespace {

SumLayout with_rows(SumLayout terms) {
  terms.insert(terms.begin(), {"rows", 1});
  return terms;
}

// into += from, row by row on all threads.
void add_rows(const Tensor& into, const Tensor& from) {
  parallel_parts(into.size(0), [&](std::int64_t first, std::int64_t last) {
    into.narrow(0, first, last - first).add_(from.narrow(0, first, last - first));
  });
}

}  // namespace

Contribution::Contribution(const std::vector<ParameterShape>& parameters, at::ScalarType type,
                           SumLayout term_layout, SharedWork* shared_work)
    : terms(with_rows(std::move(term_layout))), shared_work_(shared_work) {
  std::vector<ParameterShape> dense;
  for (const ParameterShape& shape : parameters) {
    if (!shape.is_lazy) {
      dense.push_back(shape);
    } else {
      if (!lazy_name.empty())
        throw Error(ExitCode::internal, "{} and {} are both lazy", lazy_name, shape.name);
      lazy_name = shape.name;
      row_buffer_ = at::empty({0, shape.shape.at(1)}, type);
    }
  }
  statistics = ParameterSet(std::move(dense), type);
  clear();
}

void Contribution::clear(std::vector<std::int32_t> occurring) {
  factor = 1;
  squared_norm = std::numeric_limits<double>::quiet_NaN();
  terms.clear();
  if (lazy_name.empty()) return;
  rows.rows = std::move(occurring);
  rows.factor = 1;
  rows.offset = 0;
  rows.first = 0;
  rows.whole = rows.size();
  is_united_ = false;
  if (shared_work_ != nullptr) {
    rows.values = rows_of(shared_work_->rank());
    return;
  }
  if (row_buffer_.size(0) < rows.size())
    row_buffer_ = at::empty({rows.size() + rows.size() / 8, row_buffer_.size(1)}, row_buffer_.options());
  rows.values = row_buffer_.narrow(0, 0, rows.size());
}

// [rows, columns] of every process, one behind the other.
Tensor Contribution::rows_of(int rank) const {
  const std::int64_t bytes = rows.whole * row_buffer_.size(1) * row_buffer_.element_size();
  std::byte* const first = shared_work_->memory("statistics", shared_work_->size() * bytes);
  return at::from_blob(first + rank * bytes, {rows.whole, row_buffer_.size(1)}, row_buffer_.options());
}

void Contribution::keep_part() {
  if (shared_work_ == nullptr || shared_work_->size() == 1) return;
  const Part part = shared_work_->part(rows.whole, RowBlock::rows_of_a_sum);
  rows.rows = {rows.rows.begin() + part.first, rows.rows.begin() + part.last};
  rows.first = part.first;
  rows.values = rows_of(0).narrow(0, part.first, part.size());
  is_united_ = true;
}

void Contribution::unite_rows() {
  if (shared_work_ == nullptr || lazy_name.empty() || shared_work_->size() == 1 || is_united_) return;
  shared_work_->meet();
  keep_part();
  for (int rank = 1; rank < shared_work_->size(); ++rank)
    add_rows(rows.values, rows_of(rank).narrow(0, rows.first, rows.size()));
}

void Contribution::measure() { squared_norm = factor * factor * svi::squared_norm(statistics.flat()); }

void Contribution::mark_ready(std::int64_t first, std::int64_t last) {
  if (on_ready) on_ready(first, last);
}

}  // namespace svi
