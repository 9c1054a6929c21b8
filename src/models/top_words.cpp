#include "svi/models/top_words.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace svi {

std::vector<std::vector<std::int64_t>> top_words(const at::Tensor& topics, std::int64_t count) {
  std::vector<std::vector<std::int64_t>> top;
  for (std::int64_t k = 0; k < topics.size(0); ++k) {
    const at::Tensor order = topics[k].argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
    const auto* first = order.data_ptr<std::int64_t>();
    top.emplace_back(first, first + std::min(count, topics.size(1)));
  }
  return top;
}

}  // namespace svi
