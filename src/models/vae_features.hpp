#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>

#include "svi/base/random.hpp"
#include "svi/core/minibatch.hpp"
#include "svi/distributions/likelihood.hpp"

namespace svi {

/// Rows as numbers: uint8 becomes value/255, float32 stays. [B, D] of `type`. **Local.**
at::Tensor scaled_features(const at::Tensor& rows, at::ScalarType type);

/// Dense rows as a likelihood of that kind takes them: scaled, or levels as they are. [B, D] of `type`.
/// **Local.**
at::Tensor as_numbers(const DenseRows& rows, FeatureKind kind, at::ScalarType type);

/// @throws Error (bad_config) when model.binarisation does not go with the likelihood
void require_binarisation(const std::string& binarisation, const LikelihoodOptions& likelihood);

/// Rows of word counts with all the words that do not occur: [B, width] of `type`. **Local.**
at::Tensor densified(const CountRows& rows, std::int64_t width, at::ScalarType type);

/// Each pixel 1 with its grey value as probability, keyed by (pixel, step, row): [B, D]. **Local.**
at::Tensor binarised(const at::Tensor& grey, std::span<const std::int64_t> ids, std::int64_t step,
                     const Philox& noise);

/// Standard normal numbers [B, width], row b keyed by (purpose, step, ids[b]). **Local.**
at::Tensor standard_normal(std::span<const std::int64_t> ids, std::int64_t step, std::int64_t width,
                           Purpose purpose, const Philox& noise, at::ScalarType type);

/// z ~ N(0, I) [count, width], row i keyed by (generation, i) whatever the count. **Local.**
at::Tensor prior_noise(std::int64_t count, std::int64_t width, const Philox& noise, at::ScalarType type);

/// ε of every sample, [L·B, Z] with sample l of row b in row l·B + b; draws l·Z … of (latent, step, ids[b]).
/// **Local.**
at::Tensor latent_noise(std::span<const std::int64_t> ids, std::int64_t step, std::int64_t samples,
                        std::int64_t width, const Philox& noise, at::ScalarType type);

/// ε of draws [first, first + count) of one row, [count, width], draw l keyed by (importance, l, id).
/// **Local.**
at::Tensor importance_noise(std::int64_t id, std::int64_t first, std::int64_t count, std::int64_t width,
                            const Philox& noise, at::ScalarType type);

}  // namespace svi
