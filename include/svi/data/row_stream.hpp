#pragma once

#include <compare>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "svi/core/minibatch.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/sampler.hpp"
#include "svi/data/windowed_order.hpp"

namespace svi::data {

/// Minibatches out of a file larger than memory: a thread reads the windows that come next while the present
/// ones are used, and no more than these are held.
///
/// Of each shard two windows are in memory, the one that a step's rows lie in and the next (more only where a
/// single step has rows of more), each in the order in which its rows are taken. So the rows are the very
/// ones that a `Sampler` with these windows names. Steps may be asked for in any order; going back costs
/// reading. The thread shares the file with others, since HDF5's calls go one at a time (svi/io/hdf5.hpp). It
/// never touches another rank: **Local.**
class RowStream {
 public:
  /// @param order must outlive it; @param first_shard, last_shard this rank's shards [first, last)
  RowStream(std::shared_ptr<const DataFile> file, const WindowedOrder& order, std::int64_t first_shard,
            std::int64_t last_shard);
  /// Ends the thread, which finishes the run of rows it is reading.
  ~RowStream();
  RowStream(const RowStream&) = delete;
  RowStream& operator=(const RowStream&) = delete;

  /// A step's rows, waited for where they have not been read yet, as `LocalRows::gather` gives them.
  /// @param places one interval for each of this rank's shards
  /// @throws Error (bad_data) what went wrong in the thread, naming the file; every later call throws it
  /// again
  Minibatch take(const StepPlaces& places, std::int64_t step);

  /// Bytes of the rows held now.
  std::int64_t bytes() const;
  /// Bytes that the rows held may take at most, whatever the shuffle brings together.
  /// @param step_rows the most rows of a global minibatch
  static std::int64_t most_bytes(const DataFile& file, const WindowedOrder& order, std::int64_t first_shard,
                                 std::int64_t last_shard, std::int64_t step_rows);

 private:
  struct Key {
    std::int64_t epoch;
    std::int64_t shard;
    std::int64_t window;
    auto operator<=>(const Key&) const = default;
  };
  struct Window {
    std::vector<std::int64_t> ids;
    Rows rows;
  };
  void want(const StepPlaces& places);
  Key after(const Key& key) const;
  bool all_held() const;
  const Key* missing() const;
  Window read(const Key& key) const;
  void read_ahead(const std::stop_token& stop);
  Minibatch collected(const StepPlaces& places, std::int64_t step) const;

  std::shared_ptr<const DataFile> file_;
  const WindowedOrder& order_;
  std::int64_t first_shard_;
  std::int64_t last_shard_;

  mutable std::mutex mutex_;  // of all that follows
  std::condition_variable_any changed_;
  std::vector<Key> wanted_;  // the step's own windows first
  std::size_t needed_ = 0;   // so many of them
  std::map<Key, Window> held_;
  std::exception_ptr failure_;
  std::jthread thread_;
};

}  // namespace svi::data
