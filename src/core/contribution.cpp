#include "svi/core/contribution.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "svi/base/error.hpp"
#include "svi/core/norm.hpp"

namespace svi {

namespace {

SumLayout with_rows(SumLayout terms) {
  terms.insert(terms.begin(), {"rows", 1});
  return terms;
}

}  // namespace

Contribution::Contribution(const std::vector<ParameterShape>& parameters, at::ScalarType type,
                           SumLayout term_layout)
    : terms(with_rows(std::move(term_layout))) {
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
  if (row_buffer_.size(0) < rows.size())
    row_buffer_ = at::empty({rows.size() + rows.size() / 8, row_buffer_.size(1)}, row_buffer_.options());
  rows.values = row_buffer_.narrow(0, 0, rows.size());
}

void Contribution::measure() { squared_norm = factor * factor * svi::squared_norm(statistics.flat()); }

void Contribution::mark_ready(std::int64_t first, std::int64_t last) {
  if (on_ready) on_ready(first, last);
}

}  // namespace svi
