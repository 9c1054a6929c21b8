#include "svi/models/topic_match.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "svi/math/assignment.hpp"
#include "svi/models/topic_words.hpp"

namespace svi {

Tensor topic_cosines(const TopicModel& first, const ParameterSet& first_parameters, const TopicModel& second,
                     const ParameterSet& second_parameters, std::span<const std::int32_t> numbers) {
  Tensor ours = first.topics(first_parameters);
  ours /= ours.norm(2, 1, true);
  std::vector<std::int64_t> theirs;  // words of the second that the first has too
  std::vector<std::int64_t> places;
  for (std::size_t word = 0; word < numbers.size(); ++word) {
    if (numbers[word] < 0) continue;
    theirs.push_back(static_cast<std::int64_t>(word));
    places.push_back(numbers[word]);
  }
  const Tensor theirs_index = at::tensor(theirs, at::kLong);
  const Tensor places_index = at::tensor(places, at::kLong);
  std::vector<Tensor> columns;
  for_each_topic(second, second_parameters, [&](std::int64_t, const Tensor& beta) {
    Tensor as_ours = at::zeros({ours.size(1)}, at::kDouble);
    as_ours.index_copy_(0, places_index, beta.index_select(0, theirs_index));
    columns.push_back(at::mv(ours, as_ours) / beta.norm());
  });
  return at::stack(columns, 1);
}

std::vector<TopicMatch> match_topics(const Tensor& cosines) {
  const bool is_wide = cosines.size(0) <= cosines.size(1);
  const Tensor costs = (is_wide ? cosines : cosines.t()).neg().contiguous();
  const std::span values(costs.const_data_ptr<double>(), static_cast<std::size_t>(costs.numel()));
  const auto columns = math::least_assignment(values, costs.size(0), costs.size(1));
  std::vector<TopicMatch> matches;
  for (std::int64_t row = 0; row < costs.size(0); ++row) {
    const std::int64_t column = columns[static_cast<std::size_t>(row)];
    const double cosine = -costs[row][column].item<double>();
    matches.push_back({is_wide ? row : column, is_wide ? column : row, cosine});
  }
  std::stable_sort(matches.begin(), matches.end(),
                   [](const TopicMatch& a, const TopicMatch& b) { return a.cosine > b.cosine; });
  return matches;
}

}  // namespace svi
