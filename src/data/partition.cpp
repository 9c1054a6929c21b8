#include "svi/data/partition.hpp"

#include <algorithm>

#include "svi/base/error.hpp"
#include "svi/base/random.hpp"

namespace svi::data {

namespace {

// Cuts shards into R runs, none without a shard: each cut lies where the weight before it is nearest to its
// share of the whole.
std::vector<std::int64_t> balanced_cuts(const std::vector<std::int64_t>& weight_before, std::int64_t ranks) {
  const std::int64_t shards = std::ssize(weight_before) - 1;
  const auto first_weight = static_cast<double>(weight_before.front());
  const double total = static_cast<double>(weight_before.back()) - first_weight;
  std::vector<std::int64_t> cuts{0};
  for (std::int64_t rank = 1; rank < ranks; ++rank) {
    const double target = first_weight + total * static_cast<double>(rank) / static_cast<double>(ranks);
    const auto distance = [&](std::int64_t cut) {
      return std::abs(static_cast<double>(weight_before[static_cast<std::size_t>(cut)]) - target);
    };
    const std::int64_t last = shards - (ranks - rank);
    std::int64_t cut = cuts.back() + 1;
    while (cut < last && distance(cut + 1) <= distance(cut)) ++cut;  // across shards without weight too
    cuts.push_back(cut);
  }
  cuts.push_back(shards);
  return cuts;
}

}  // namespace

std::vector<std::int64_t> spread_evenly(std::span<const std::int64_t> rows, std::int64_t most) {
  const std::int64_t count = std::min(std::ssize(rows), most);
  std::vector<std::int64_t> some;
  for (std::int64_t i = 0; i < count; ++i)
    some.push_back(rows[static_cast<std::size_t>(place_of(i, std::ssize(rows), count))]);
  return some;
}

Partition::Partition(
    std::vector<std::int64_t> rows, std::int64_t shards, std::int64_t ranks,
    const std::function<std::vector<std::int64_t>(std::span<const std::int64_t>)>& weight_before)
    : rows_(std::move(rows)), shards_(shards) {
  if (shards < 1 || ranks > shards) {
    throw Error(ExitCode::bad_config,
                "{} ranks cannot share {} shards: start at most {} ranks, or raise data.shards "
                "(which makes it another run, since shards decide the minibatches)",
                ranks, shards, shards);
  }
  std::vector<std::int64_t> bounds;  // of shards, as row numbers of the file
  for (std::int64_t s = 0; s < shards; ++s) {
    const std::int64_t place = place_of(s, this->rows(), shards);
    bounds.push_back(place < this->rows() ? rows_[static_cast<std::size_t>(place)] : 0);
  }
  bounds.push_back(rows_.empty() ? 0 : rows_.back() + 1);
  if (weight_before && !rows_.empty()) {
    bounds = weight_before(bounds);
  } else {
    for (std::int64_t s = 0; s <= shards; ++s) {
      bounds[static_cast<std::size_t>(s)] = place_of(s, this->rows(), shards);
    }
  }
  first_shard_of_rank_ = balanced_cuts(bounds, ranks);
}

std::int64_t Partition::shard_rows(std::int64_t shard) const {
  return place_of(shard + 1, rows(), shards_) - place_of(shard, rows(), shards_);
}

std::span<const std::int64_t> Partition::shard(std::int64_t shard) const {
  return std::span(rows_).subspan(static_cast<std::size_t>(place_of(shard, rows(), shards_)),
                                  static_cast<std::size_t>(shard_rows(shard)));
}

std::pair<std::int64_t, std::int64_t> Partition::shards_of(std::int64_t rank) const {
  const auto place = static_cast<std::size_t>(rank);
  return {first_shard_of_rank_.at(place), first_shard_of_rank_.at(place + 1)};
}

std::span<const std::int64_t> Partition::rows_of(std::int64_t rank) const {
  const auto [first, last] = shards_of(rank);
  const std::int64_t begin = place_of(first, rows(), shards_);
  const std::int64_t end = place_of(last, rows(), shards_);
  return std::span(rows_).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

HeldOutSplit split_rows(std::int64_t rows, double fraction, std::uint64_t split_seed) {
  const Philox philox(split_seed);
  HeldOutSplit split;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double draw = philox.uniform(Purpose::validation_split, 0, static_cast<std::uint64_t>(row), 0);
    (draw < fraction ? split.held_out : split.training).push_back(row);
  }
  return split;
}

}  // namespace svi::data
