#include "svi/data/row_stream.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "row_copies.hpp"

namespace svi::data {

namespace {

// Each shard holds the window in use and the next one.
constexpr std::int64_t windows_held = 2;

}  // namespace

RowStream::RowStream(std::shared_ptr<const DataFile> file, const WindowedOrder& order,
                     std::int64_t first_shard, std::int64_t last_shard)
    : file_(std::move(file)),
      order_(order),
      first_shard_(first_shard),
      last_shard_(last_shard),
      thread_([this](const std::stop_token& stop) { read_ahead(stop); }) {}

RowStream::~RowStream() = default;

Minibatch RowStream::take(const StepPlaces& places, std::int64_t step) {
  std::unique_lock lock(mutex_);
  want(places);
  std::erase_if(held_,
                [this](const auto& held) { return std::ranges::find(wanted_, held.first) == wanted_.end(); });
  changed_.notify_all();
  changed_.wait(lock, [this] { return failure_ != nullptr || all_held(); });
  if (failure_) std::rethrow_exception(failure_);
  return collected(places, step);
}

RowStream::Key RowStream::after(const Key& key) const {
  if (key.window + 1 < order_.windows(key.shard)) return {key.epoch, key.shard, key.window + 1};
  return {key.epoch + 1, key.shard, 0};
}

// The windows of the step's rows, and of each shard one more where that is a single one.
void RowStream::want(const StepPlaces& places) {
  wanted_.clear();
  std::vector<Key> ahead;
  for (std::int64_t shard = first_shard_; shard < last_shard_; ++shard) {
    if (order_.windows(shard) == 0) continue;
    const auto [begin, end] = places.of_shards[static_cast<std::size_t>(shard - first_shard_)];
    const bool is_over = begin == order_.partition().shard_rows(shard);
    Key key =
        is_over ? Key{places.epoch + 1, shard, 0} : Key{places.epoch, shard, order_.window_at(shard, begin)};
    const std::int64_t used = begin == end ? 0 : order_.window_at(shard, end - 1) - key.window + 1;
    for (std::int64_t i = 0; i < std::max(used, windows_held); ++i) {
      (i < used ? wanted_ : ahead).push_back(key);
      key = after(key);
    }
  }
  needed_ = wanted_.size();
  wanted_.insert(wanted_.end(), ahead.begin(), ahead.end());
}

bool RowStream::all_held() const {
  return std::all_of(wanted_.begin(), wanted_.begin() + static_cast<std::ptrdiff_t>(needed_),
                     [this](const Key& key) { return held_.contains(key); });
}

const RowStream::Key* RowStream::missing() const {
  const auto found = std::ranges::find_if(wanted_, [this](const Key& key) { return !held_.contains(key); });
  return found == wanted_.end() ? nullptr : &*found;
}

RowStream::Window RowStream::read(const Key& key) const {
  Window window{.ids = order_.window(key.epoch, key.shard, key.window), .rows = {}};
  window.rows = read_in_order(*file_, window.ids);
  return window;
}

void RowStream::read_ahead(const std::stop_token& stop) try {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return missing() != nullptr; }) && !stop.stop_requested()) {
    const Key key = *missing();
    lock.unlock();
    Window window = read(key);
    lock.lock();
    if (std::ranges::find(wanted_, key) != wanted_.end()) held_.emplace(key, std::move(window));
    changed_.notify_all();
  }
} catch (...) {
  const std::scoped_lock lock(mutex_);
  failure_ = std::current_exception();
  changed_.notify_all();
}

Minibatch RowStream::collected(const StepPlaces& places, std::int64_t step) const {
  Minibatch result{.step = step, .ids = {}, .rows = {}, .occurring = {}};
  std::vector<std::pair<const Window*, std::int64_t>> sources;  // of each row: its window and place there
  for (std::int64_t shard = first_shard_; shard < last_shard_; ++shard) {
    const auto [begin, end] = places.of_shards[static_cast<std::size_t>(shard - first_shard_)];
    for (std::int64_t place = begin; place < end; ++place) {
      const std::int64_t number = order_.window_at(shard, place);
      const Window& window = held_.at({places.epoch, shard, number});
      sources.emplace_back(&window, place - order_.first_place(shard, number));
      result.ids.push_back(window.ids[static_cast<std::size_t>(sources.back().second)]);
    }
  }
  result.rows = empty_rows(file_->facts(), result.size(), file_->entries_of(result.ids));
  for (std::int64_t row = 0; row < result.size(); ++row) {
    const auto [window, place] = sources[static_cast<std::size_t>(row)];
    put_row(result.rows, row, window->rows, place);
  }
  return result;
}

std::int64_t RowStream::bytes() const {
  const std::scoped_lock lock(mutex_);
  return std::accumulate(held_.begin(), held_.end(), std::int64_t{0}, [](std::int64_t sum, const auto& held) {
    return sum + bytes_of(held.second.rows) + 8 * std::ssize(held.second.ids);
  });
}

std::int64_t RowStream::most_bytes(const DataFile& file, const WindowedOrder& order, std::int64_t first_shard,
                                   std::int64_t last_shard, std::int64_t step_rows) {
  std::int64_t total = 0;
  for (std::int64_t shard = first_shard; shard < last_shard; ++shard) {
    if (order.windows(shard) == 0) continue;
    std::vector<std::int64_t> blocks;
    for (std::int64_t b = 0; b < order.blocks(shard); ++b) {
      blocks.push_back(file.bytes_of(order.block(shard, b)) + 8 * std::ssize(order.block(shard, b)) + 8);
    }
    std::ranges::sort(blocks, std::greater());
    const std::int64_t window =
        std::accumulate(blocks.begin(), blocks.begin() + order.most_blocks_a_window(shard), std::int64_t{0});
    // A step takes of a shard its share, give or take two rows, which begins anywhere in a window.
    const std::int64_t rows = order.partition().shard_rows(shard);
    const double share = static_cast<double>(step_rows) * static_cast<double>(rows) /
                         static_cast<double>(order.partition().rows());
    const std::int64_t fewest = rows / order.windows(shard);
    const std::int64_t touched = (static_cast<std::int64_t>(share) + 3) / fewest + 2;
    total += window * std::max(windows_held, std::min(touched, order.windows(shard)));
  }
  return total;
}

}  // namespace svi::data
