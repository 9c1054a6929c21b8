#pragma once

#include "svi/models/model.hpp"

namespace svi {

/// How far apart two distributions are: √½ ‖√p − √q‖ (Hellinger 1909), from 0 to 1.
/// @param many [rows, n] @param one [n], both of one type @return [rows] **Local.**
Tensor hellinger_distances(const Tensor& many, const Tensor& one);

/// Jensen-Shannon divergences of the topics, in nats: H((p + q)/2) − (H(p) + H(q))/2 (Lin 1991): [K, K]
/// float64. Cost O(K²·V). **Local.**
Tensor topic_divergences(const TopicModel& model, const ParameterSet& parameters);

/// Points in the plane whose distances come close to the given ones: classical scaling (Torgerson 1952; Gower
/// 1966). An axis of no extent is zero; an axis points to where its largest coordinate is positive.
/// @param distances [n, n] float64, symmetric @return [n, 2] float64 **Local.**
Tensor principal_coordinates(const Tensor& distances);

}  // namespace svi
