#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "svi/models/model.hpp"

namespace svi {

/// A topic of one model with its counterpart in another.
struct TopicMatch {
  std::int64_t first = 0;
  std::int64_t second = 0;
  double cosine = 0;
};

/// Cosines of the E[β] of two models' topics: [K₁, K₂] float64. A word that only one of them has is without
/// weight in the other. **Local.**
/// @param numbers [V₂]: what number each word of the second model has in the first, −1 where none
Tensor topic_cosines(const TopicModel& first, const ParameterSet& first_parameters, const TopicModel& second,
                     const ParameterSet& second_parameters, std::span<const std::int32_t> numbers);

/// Topics matched one to one so that their cosines add up to the most, the most alike first: min(K₁, K₂).
/// **Local.**
/// @param cosines [K₁, K₂] float64
std::vector<TopicMatch> match_topics(const Tensor& cosines);

}  // namespace svi
