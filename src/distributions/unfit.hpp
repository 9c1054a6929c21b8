#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>

namespace svi {

/// Refuses the first feature where `fits` is false.
/// @param fits [B, D] bool @param x [B, D] @param ids [B] rows of the file
/// @param what "model.likelihood bernoulli needs …; …": what was expected and what to do
/// @throws Error (bad_data) with row, feature and value
void require_everywhere(const at::Tensor& fits, const at::Tensor& x, std::span<const std::int64_t> ids,
                        const std::string& what);

}  // namespace svi
