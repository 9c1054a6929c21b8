#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace svi {

/// The likeliest words of each topic, the likeliest first, equal ones by word number: [K, min(count, V)].
/// @param topics E[β_kw] [K, V] float64, as `TopicModel::topics` gives it. **Local.**
std::vector<std::vector<std::int64_t>> top_words(const at::Tensor& topics, std::int64_t count);

}  // namespace svi
