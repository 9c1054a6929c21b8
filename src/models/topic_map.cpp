#include "svi/models/topic_map.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace svi {

namespace {

constexpr std::int64_t topics_at_once = 16;

Tensor distributions(const TopicModel& model, const ParameterSet& parameters, std::int64_t first,
                     std::int64_t last) {
  const Tensor tokens = model.topic_tokens(parameters, first, last);
  return tokens / tokens.sum(1, true);
}

// −Σ p ln p of each row.
Tensor entropies(const Tensor& p) { return -at::xlogy(p, p).sum(1); }

}  // namespace

Tensor hellinger_distances(const Tensor& many, const Tensor& one) {
  return (many.sqrt() - one.sqrt()).square().sum(1).mul(0.5).sqrt();
}

Tensor topic_divergences(const TopicModel& model, const ParameterSet& parameters) {
  const std::int64_t topics = model.topic_shares(parameters).numel();
  Tensor divergences = at::zeros({topics, topics}, at::kDouble);
  for (std::int64_t first = 0; first < topics; first += topics_at_once) {
    const Tensor rows = distributions(model, parameters, first, std::min(first + topics_at_once, topics));
    const Tensor row_entropies = entropies(rows);
    for (std::int64_t other = first; other < topics; other += topics_at_once) {
      const Tensor columns =
          other == first ? rows
                         : distributions(model, parameters, other, std::min(other + topics_at_once, topics));
      const Tensor column_entropies = entropies(columns);
      for (std::int64_t i = 0; i < rows.size(0); ++i) {
        const Tensor divergence =
            entropies((columns + rows[i]) * 0.5) - (column_entropies + row_entropies[i]) * 0.5;
        divergences[first + i].slice(0, other, other + columns.size(0)).copy_(divergence.clamp_min(0));
        divergences.select(1, first + i)
            .slice(0, other, other + columns.size(0))
            .copy_(divergence.clamp_min(0));
      }
    }
  }
  return divergences.fill_diagonal_(0);
}

Tensor principal_coordinates(const Tensor& distances) {
  const Tensor squares = distances.square();
  const Tensor centred = (squares - squares.mean(0, true) - squares.mean(1, true) + squares.mean()) * -0.5;
  const auto [values, vectors] = at::linalg_eigh(centred);  // ascending
  Tensor points = at::zeros({distances.size(0), 2}, at::kDouble);
  for (std::int64_t axis = 0; axis < std::min<std::int64_t>(2, distances.size(0)); ++axis) {
    const std::int64_t place = distances.size(0) - 1 - axis;
    const double length = std::sqrt(std::max(0.0, values[place].item<double>()));
    const Tensor direction = vectors.select(1, place);
    const double sign = direction[direction.abs().argmax()].item<double>() < 0 ? -1 : 1;
    points.select(1, axis).copy_(direction * (sign * length));
  }
  return points;
}

}  // namespace svi
