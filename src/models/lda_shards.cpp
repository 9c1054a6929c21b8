#include "lda_shards.hpp"

#include <algorithm>
#include <atomic>
#include <limits>

#include "svi/base/error.hpp"
#include "svi/core/parallel.hpp"

namespace svi::lda {

namespace {

constexpr std::int64_t piece_documents = 8;

// Places for arrays one behind the other, each on a cache line's boundary.
class Room {
 public:
  explicit Room(std::byte* first) : first_(reinterpret_cast<std::uintptr_t>(first)) {}

  template <typename Element>
  void place(Element*& array, std::int64_t count) {
    array = reinterpret_cast<Element*>(first_ + bytes_);
    bytes_ += (static_cast<std::uintptr_t>(count) * sizeof(Element) + 63) / 64 * 64;
  }
  std::int64_t bytes() const { return static_cast<std::int64_t>(bytes_); }

 private:
  std::uintptr_t first_;  // null where sizes alone are asked for
  std::uintptr_t bytes_ = 0;
};

// Its arrays from `first` on; returns how many bytes they take.
template <typename Real>
std::int64_t place(Shard<Real>& shard, std::int64_t words, std::int64_t stride, std::byte* first) {
  Room room(first);
  room.place(shard.theta, shard.documents * stride);
  room.place(shard.starts, shard.documents + 1);
  room.place(shard.facts, shard.documents);
  room.place(shard.entry_rows, shard.entries);
  room.place(shard.counts, shard.entries);
  room.place(shard.places, shard.entries);
  room.place(shard.by_word, shard.entries);
  room.place(shard.ratios, shard.entries);
  room.place(shard.firsts, words + 1);
  return room.bytes();
}

// Between processes, too, since it takes no lock.
std::atomic_ref<std::int64_t> shared(std::int64_t& number) { return std::atomic_ref(number); }
static_assert(std::atomic_ref<std::int64_t>::is_always_lock_free);

}  // namespace

template <typename Real>
void Shards<Real>::announce(SharedWork& work, const CountRows& rows) {
  work_ = &work;
  rank_ = work.rank();
  notices_ = work.array<Notice>("notices of shards", work.size());
  Notice& mine = notices_[rank_];
  mine.documents = std::ssize(rows.starts) - 1;
  mine.entries = rows.starts.back();
  mine.references = 0;
  mine.pieces_taken = 0;
  mine.is_filled = 0;
}

template <typename Real>
void Shards<Real>::open(std::int64_t words, std::int64_t stride) {
  words_ = words;
  shards_.assign(static_cast<std::size_t>(work_->size()), {});
  std::int64_t bytes = 0;
  std::vector<std::int64_t> begins;
  for (std::size_t rank = 0; rank < shards_.size(); ++rank) {
    shards_[rank].documents = notices_[rank].documents;
    shards_[rank].entries = notices_[rank].entries;
    if (shards_[rank].entries > std::numeric_limits<std::int32_t>::max()) {
      throw AgreedError(ExitCode::bad_config,
                        "rank {} has {} word counts in one minibatch; at most 2147483647 are possible: lower "
                        "train.batch",
                        rank, shards_[rank].entries);
    }
    begins.push_back(bytes);
    bytes += place(shards_[rank], words, stride, nullptr);
  }
  std::byte* const first = work_->memory("shards", bytes);
  for (std::size_t rank = 0; rank < shards_.size(); ++rank)
    place(shards_[rank], words, stride, first + begins[rank]);
}

template <typename Real>
void Shards<Real>::fill(const CountRows& rows, std::span<const std::int32_t> entry_rows) {
  const Shard<Real>& shard = mine();
  std::ranges::copy(rows.starts, shard.starts);
  std::ranges::copy(entry_rows, shard.entry_rows);
  std::ranges::copy(rows.counts, shard.counts);
  sort(shard);
  shared(notices_[rank_].is_filled).store(1, std::memory_order_release);
}

// By counting, on all threads: each counts the words of its documents, and then knows where to put them,
// behind those of the threads before it.
template <typename Real>
void Shards<Real>::sort(const Shard<Real>& shard) {
  const std::int64_t threads = parallel_threads();
  next_.resize(static_cast<std::size_t>(threads));
  parallel_parts(threads, [&](std::int64_t thread, std::int64_t /*last*/) {
    std::vector<std::int32_t>& counts = next_[static_cast<std::size_t>(thread)];
    counts.assign(static_cast<std::size_t>(words_), 0);
    const std::int64_t last = shard.starts[(thread + 1) * shard.documents / threads];
    for (std::int64_t i = shard.starts[thread * shard.documents / threads]; i < last; ++i)
      ++counts[static_cast<std::size_t>(shard.entry_rows[i])];
  });
  std::int32_t first = 0;
  for (std::int64_t word = 0; word < words_; ++word) {
    shard.firsts[word] = first;
    for (std::vector<std::int32_t>& next : next_) {
      const std::int32_t count = next[static_cast<std::size_t>(word)];
      next[static_cast<std::size_t>(word)] = first;
      first += count;
    }
  }
  shard.firsts[words_] = first;
  parallel_parts(threads, [&](std::int64_t thread, std::int64_t /*last*/) {
    std::int32_t* const next = next_[static_cast<std::size_t>(thread)].data();
    const std::int64_t last = (thread + 1) * shard.documents / threads;
    for (std::int64_t b = thread * shard.documents / threads; b < last; ++b) {
      for (std::int64_t i = shard.starts[b]; i < shard.starts[b + 1]; ++i) {
        const std::int32_t place = next[shard.entry_rows[i]]++;
        shard.places[i] = place;
        shard.by_word[place] = static_cast<std::int32_t>(b);
      }
    }
  });
}

template <typename Real>
std::optional<typename Shards<Real>::Piece> Shards<Real>::take() {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (auto piece = take_of((static_cast<std::size_t>(rank_) + i) % shards_.size())) return piece;
  }
  return std::nullopt;
}

template <typename Real>
std::optional<typename Shards<Real>::Piece> Shards<Real>::take_of(std::size_t rank) {
  Notice& notice = notices_[rank];
  const Shard<Real>& shard = shards_[rank];
  // One that is late has all its work before it: whoever waits for that could as well have waited for its
  // end.
  if (shared(notice.is_filled).load(std::memory_order_acquire) == 0) return std::nullopt;
  const std::int64_t first = shared(notice.pieces_taken).fetch_add(1) * piece_documents;
  if (first >= shard.documents) return std::nullopt;
  return Piece{&shard, first, std::min(first + piece_documents, shard.documents),
               &shard == &mine()};
}

template <typename Real>
void Shards<Real>::count_reference() {
  shared(notices_[rank_].references).fetch_add(1);
}

template <typename Real>
bool Shards<Real>::has_references() const {
  return std::any_of(notices_, notices_ + work_->size(),
                     [](const Notice& notice) { return notice.references > 0; });
}

template class Shards<float>;
template class Shards<double>;

}  // namespace svi::lda
