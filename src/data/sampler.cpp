#include "svi/data/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "svi/base/error.hpp"

namespace svi::data {

Sampler::Sampler(const Partition& partition, std::int64_t batch, std::uint64_t seed,
                 const WindowedOrder* windows, std::uint64_t stratum)
    : partition_(partition),
      windows_(windows),
      philox_(seed),
      first_key_(stratum << 32),
      steps_per_epoch_(1) {
  const std::int64_t rows = partition.rows();
  if (rows == 0) {
    throw Error(ExitCode::bad_data, "no row is left to train on; lower data.validation.fraction");
  }
  if (batch < 1) throw Error(ExitCode::internal, "a minibatch of {} rows", batch);
  steps_per_epoch_ = (rows - 1) / batch + 1;
  for (std::int64_t s = 0; s < partition.shards(); ++s) shard_rows_.push_back(partition.shard_rows(s));
}

std::int64_t Sampler::global_rows(std::int64_t step) const {
  const std::int64_t t = step % steps_per_epoch_;
  const std::int64_t rows = partition_.rows();
  return place_of(t + 1, rows, steps_per_epoch_) - place_of(t, rows, steps_per_epoch_);
}

StepPlaces Sampler::places(std::int64_t step, std::int64_t first_shard, std::int64_t last_shard) {
  StepPlaces result{.epoch = step / steps_per_epoch_, .of_shards = {}};
  const std::int64_t t = step % steps_per_epoch_;
  enter_epoch(result.epoch);
  const auto begin = taken_before(place_of(t, partition_.rows(), steps_per_epoch_));
  const auto end = taken_before(place_of(t + 1, partition_.rows(), steps_per_epoch_));
  for (auto s = static_cast<std::size_t>(first_shard); s < static_cast<std::size_t>(last_shard); ++s) {
    result.of_shards.emplace_back(begin[s], end[s]);
  }
  return result;
}

std::vector<std::int64_t> Sampler::rows(std::int64_t step, std::int64_t first_shard,
                                        std::int64_t last_shard) {
  const StepPlaces places = this->places(step, first_shard, last_shard);
  shuffle(places.epoch, first_shard, last_shard);
  std::vector<std::int64_t> result;
  for (std::size_t s = 0; s < places.of_shards.size(); ++s) {
    const auto [begin, end] = places.of_shards[s];
    result.insert(result.end(), shuffled_[s].begin() + begin, shuffled_[s].begin() + end);
  }
  return result;
}

void Sampler::enter_epoch(std::int64_t epoch) {
  if (epoch == offsets_epoch_) return;
  offsets_.resize(shard_rows_.size());
  for (std::size_t s = 0; s < offsets_.size(); ++s) {
    offsets_[s] =
        philox_.uniform(Purpose::shard_offset, static_cast<std::uint64_t>(epoch), first_key_ + s, 0);
  }
  offsets_epoch_ = epoch;
}

double Sampler::key(std::size_t shard, std::int64_t row) const {
  return (static_cast<double>(row) + offsets_[shard]) / static_cast<double>(shard_rows_[shard]);
}

// Near place / N of every shard is taken, give or take a row; the keys themselves decide which.
std::vector<std::int64_t> Sampler::taken_before(std::int64_t place) const {
  const double share = static_cast<double>(place) / static_cast<double>(partition_.rows());
  std::vector<std::int64_t> taken(shard_rows_.size());
  for (std::size_t s = 0; s < taken.size(); ++s) {
    const double guess = std::ceil(share * static_cast<double>(shard_rows_[s]) - offsets_[s]);
    taken[s] = std::clamp(static_cast<std::int64_t>(guess), std::int64_t{0}, shard_rows_[s]);
  }
  std::int64_t total = std::accumulate(taken.begin(), taken.end(), std::int64_t{0});
  for (; total < place; ++total) ++taken[earliest_untaken(taken)];
  for (; total > place; --total) --taken[latest_taken(taken)];
  // The guess was rounded: mend until everything taken comes before everything untaken.
  while (place > 0 && place < partition_.rows()) {
    const std::size_t next = earliest_untaken(taken);
    const std::size_t last = latest_taken(taken);
    if (std::pair(key(last, taken[last] - 1), last) < std::pair(key(next, taken[next]), next)) break;
    ++taken[next];
    --taken[last];
  }
  return taken;
}

std::size_t Sampler::earliest_untaken(const std::vector<std::int64_t>& taken) const {
  std::size_t best = taken.size();
  double best_key = 0;
  for (std::size_t s = 0; s < taken.size(); ++s) {
    if (taken[s] == shard_rows_[s]) continue;
    const double candidate = key(s, taken[s]);
    if (best < taken.size() && candidate >= best_key) continue;
    best = s;
    best_key = candidate;
  }
  return best;
}

std::size_t Sampler::latest_taken(const std::vector<std::int64_t>& taken) const {
  std::size_t best = taken.size();
  double best_key = 0;
  for (std::size_t s = 0; s < taken.size(); ++s) {
    if (taken[s] == 0) continue;
    const double candidate = key(s, taken[s] - 1);
    if (best < taken.size() && candidate < best_key) continue;
    best = s;
    best_key = candidate;
  }
  return best;
}

void Sampler::shuffle(std::int64_t epoch, std::int64_t first_shard, std::int64_t last_shard) {
  const auto owned = static_cast<std::size_t>(last_shard - first_shard);
  if (epoch == shuffled_epoch_ && first_shard == shuffled_first_ && owned == shuffled_.size()) return;
  shuffled_.resize(owned);
  for (std::size_t s = 0; s < owned; ++s) {
    const std::int64_t shard = first_shard + static_cast<std::int64_t>(s);
    shuffled_[s] = windows_ != nullptr ? windows_->shard(epoch, shard) : shuffled(epoch, shard);
  }
  shuffled_epoch_ = epoch;
  shuffled_first_ = first_shard;
}

std::vector<std::int64_t> Sampler::shuffled(std::int64_t epoch, std::int64_t shard) const {
  const auto rows = partition_.shard(shard);
  std::vector<std::int64_t> order(rows.begin(), rows.end());
  for (std::size_t i = order.size(); i-- > 1;) {
    const std::uint64_t other =
        philox_.below(i + 1, Purpose::shard_shuffle, static_cast<std::uint64_t>(epoch),
                      first_key_ + static_cast<std::uint64_t>(shard), i);
    std::swap(order[i], order[other]);
  }
  return order;
}

}  // namespace svi::data
