#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "svi/core/parameter_set.hpp"

namespace svi::test {

/// LDA's parameters with λ = `values` [V, K], scale 1 and offset 0.
inline ParameterSet lambda_parameters(std::int64_t vocabulary, std::int64_t topics,
                                      const std::vector<float>& values, at::ScalarType type = at::kFloat) {
  ParameterSet parameters({{.name = "lambda", .shape = {vocabulary, topics}, .is_lazy = true}}, type);
  parameters["lambda"].copy_(at::tensor(values, at::kFloat).view({vocabulary, topics}));
  sum_rows(parameters["lambda"], parameters.lazy("lambda"));
  return parameters;
}

/// Sets λ of a model's parameters.
inline void set_lambda(ParameterSet& parameters, const Tensor& lambda) {
  parameters["lambda"].copy_(lambda);
  parameters.lazy("lambda") = {.sums = std::vector<double>(static_cast<std::size_t>(lambda.size(1)))};
  sum_rows(parameters["lambda"], parameters.lazy("lambda"));
}

/// λ itself, float64 [V, K].
inline Tensor lambda_of(const ParameterSet& parameters) {
  const LazyScale& lazy = parameters.lazy("lambda");
  return parameters["lambda"].to(at::kDouble) * lazy.scale + lazy.offset;
}

/// A block of rows as a whole matrix, float64.
inline Tensor dense(const RowBlock& block, std::int64_t rows) {
  Tensor matrix = at::full({rows, block.values.size(1)}, block.offset, at::kDouble);
  for (std::size_t r = 0; r < block.rows.size(); ++r)
    matrix[block.rows[r]].add_(block.values[static_cast<std::int64_t>(r)].to(at::kDouble), block.factor);
  return matrix;
}

}  // namespace svi::test
