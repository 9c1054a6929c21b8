#include "feature_means.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <span>
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
  const std::vector<std::int64_t> rows = data::spread_evenly(
      data::split_rows(file.facts().rows, options.validation_fraction, split_seed).training, most);
  const auto block =
      static_cast<std::size_t>(std::max<std::int64_t>(1, block_bytes / (8 * file.facts().columns)));
  Tensor sums = at::zeros({file.facts().columns}, at::kDouble);
  for (std::size_t first = 0; first < rows.size(); first += block) {
    const auto some = std::span(rows).subspan(first, std::min(block, rows.size() - first));
    const Minibatch read = data::LocalRows(file, some).slice(0, std::ssize(some), 0);
    sums += std::get<DenseRows>(read.rows).features.to(at::kDouble).sum(0);
  }
  return sums / static_cast<double>(std::ssize(rows) * (file.facts().is_uint8 ? 255 : 1));
}

}  // namespace svi::trainer
