#pragma once

#include <ATen/core/Tensor.h>

#include "svi/trainer/settings.hpp"

namespace svi::trainer {

/// The features' means over at most 10,000 training rows at even distances, bytes as shares of 255; reads them
/// in blocks of a few MiB whatever `data.memory_limit` is.
/// @returns [D] float64 @throws Error, see DataFile. **Local.**
at::Tensor feature_means(const DataOptions& options);

}  // namespace svi::trainer
