#include "feature_means.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "svi/data/data_file.hpp"
#include "svi/data/local_rows.hpp"
#include "svi/data/partition.hpp"

namespace svi::trainer {

Tensor feature_means(const DataOptions& options) {
  constexpr std::int64_t most = 10000;
  constexpr std::int64_t block_bytes = 4 << 20;
  const data::DataFile file(options.train);
  const auto split_seed = static_cast<std::uint64_t>(options.split_seed);
  const std::vector<std::int64_t> training =
      data::split_rows(file.facts().rows, options.validation_fraction, split_seed).training;
  const std::int64_t count = std::min(most, std::ssize(training));
  const std::int64_t block = std::max<std::int64_t>(1, block_bytes / (8 * file.facts().columns));
  Tensor sums = at::zeros({file.facts().columns}, at::kDouble);
  for (std::int64_t first = 0; first < count; first += block) {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = first; i < std::min(first + block, count); ++i)
      rows.push_back(training[static_cast<std::size_t>(i * std::ssize(training) / count)]);
    const Minibatch some = data::LocalRows(file, rows).slice(0, std::ssize(rows), 0);
    sums += std::get<DenseRows>(some.rows).features.to(at::kDouble).sum(0);
  }
  return sums / static_cast<double>(count * (file.facts().is_uint8 ? 255 : 1));
}

}  // namespace svi::trainer
