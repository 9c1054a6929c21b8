#include "svi/core/contribution.hpp"

#include <ATen/ATen.h>

#include <utility>

namespace svi {

namespace {

SumLayout with_rows(SumLayout terms) {
  terms.insert(terms.begin(), {"rows", 1});
  return terms;
}

}  // namespace

Contribution::Contribution(ParameterSet zero_statistics, SumLayout term_layout)
    : statistics(std::move(zero_statistics)), terms(with_rows(std::move(term_layout))) {}

void Contribution::clear() {
  statistics.flat().zero_();
  terms.clear();
}

void Contribution::mark_ready(std::int64_t first, std::int64_t last) {
  if (on_ready) on_ready(first, last);
}

}  // namespace svi
