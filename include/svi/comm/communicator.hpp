#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "svi/base/error.hpp"

namespace svi::comm {

enum class DataType { uint8, int64, uint64, float32, float64 };
enum class MemorySpace { host, cuda };
enum class ReduceOperation { sum, maximum, bitwise_or };  // bitwise_or: whole numbers only

/// A typed piece of memory, so that backends need to know neither tensors nor models.
struct Buffer {
  void* data = nullptr;
  std::int64_t count = 0;  ///< elements
  DataType type = DataType::uint8;
  MemorySpace space = MemorySpace::host;

  std::int64_t bytes() const;
};

/// Bytes of one element. **Local.**
std::int64_t element_bytes(DataType type);

/// into[i] ← into[i] ∘ from[i]: the arithmetic of every backend on host memory. **Local.**
/// @param from as many elements, of the same type, not overlapping
void accumulate(Buffer into, const void* from, ReduceOperation operation);

/// The buffer of a span of host memory. `const` is dropped: a backend writes only where an operation says so.
template <typename Element>
Buffer buffer_of(std::span<Element> values) {
  using Value = std::remove_const_t<Element>;
  static_assert(std::is_same_v<Value, std::uint8_t> || std::is_same_v<Value, std::int64_t> ||
                std::is_same_v<Value, std::uint64_t> || std::is_same_v<Value, float> ||
                std::is_same_v<Value, double>);
  constexpr DataType type = std::is_same_v<Value, std::uint8_t>    ? DataType::uint8
                            : std::is_same_v<Value, std::int64_t>  ? DataType::int64
                            : std::is_same_v<Value, std::uint64_t> ? DataType::uint64
                            : std::is_same_v<Value, float>         ? DataType::float32
                                                                   : DataType::float64;
  return {const_cast<Value*>(values.data()), static_cast<std::int64_t>(values.size()), type,
          MemorySpace::host};
}

/// An operation under way. Its buffers must stay alive until `wait` has returned or thrown. **Local.**
class Work {
 public:
  virtual ~Work() = default;
  /// Whether it is complete; drives it forward where the backend needs that.
  /// @throws Error (communication) when it failed
  virtual bool test() = 0;
  /// Returns when it is complete.
  /// @throws Error (communication) when it failed or the communicator's deadline passed; names the tag
  virtual void wait() = 0;
  /// Makes a CUDA stream wait in place of the host. Host backends: `wait`.
  virtual void stream_wait(void* stream);
};

/// A whole number that the ranks of a communicator share; 0 at first.
class Counter {
 public:
  virtual ~Counter() = default;
  /// Adds to it and returns what it was before; no other rank need call anything for it. **Local.**
  /// @throws Error (communication)
  virtual std::int64_t add(std::int64_t amount) = 0;
  /// Releases it, before its communicator is closed; else it lives until the process ends. **Collective.**
  virtual void close() = 0;
};

/// A fixed group of ranks that exchange typed buffers.
///
/// Every Collective must be called by all ranks in the same order. `tag` names the operation in messages:
/// "gradient", "evaluation". Every function throws Error (communication) on failure.
class Communicator {
 public:
  /// Never communicates: an unclosed communicator is left as it is, with a warning on standard error.
  virtual ~Communicator() = default;

  virtual int rank() const = 0;          ///< **Local.**
  virtual int size() const = 0;          ///< **Local.**
  virtual int rank_in_node() const = 0;  ///< among the ranks that share this one's memory. **Local.**
  virtual std::string name() const = 0;  ///< "single process", "MPI", …; for the start-up table. **Local.**

  /// The same ranks over a channel of their own, always in host memory, for flags, metrics and texts: it may
  /// be used while operations of this one are under way, in any order relative to them. The shorthands below
  /// go over it. Closed with its owner. **Local.**
  virtual Communicator& control() { return *this; }

  /// Replaces `values` by the element-wise result over all ranks, the same bits on every rank and at every
  /// call; host backends combine in rank order, so that an element's bits depend neither on the length of
  /// the buffer nor on the backend. **Collective.**
  virtual std::unique_ptr<Work> all_reduce(Buffer values, ReduceOperation operation,
                                           std::string_view tag) = 0;
  /// Overwrites `values` with the root's. **Collective.**
  virtual std::unique_ptr<Work> broadcast(Buffer values, int root, std::string_view tag) = 0;
  /// `all` [size · mine.count] receives every rank's `mine` in rank order. **Collective.**
  virtual std::unique_ptr<Work> all_gather(Buffer mine, Buffer all, std::string_view tag) = 0;
  virtual std::unique_ptr<Work> barrier(std::string_view tag) = 0;  ///< **Collective.**
  /// Returns when it is there on all ranks. **Collective.**
  virtual std::unique_ptr<Counter> counter(std::string_view tag) = 0;

  /// Zeroed memory that all ranks have in common, on a 64-byte boundary; null, on every rank, where they are
  /// not on one machine or the system refuses. It stays as long as any rank has it; what a rank writes,
  /// others see after the next Collective of both. **Collective.**
  /// @param bytes the same on every rank
  virtual std::shared_ptr<void> shared_memory(std::int64_t bytes, std::string_view tag) = 0;

  /// Releases what is released together; afterwards only Local functions may be called. **Collective.**
  virtual void close() = 0;
  /// Ends all ranks with this exit code; may be called by any rank at any time, more than once. **Local.**
  [[noreturn]] virtual void abort(ExitCode code) noexcept = 0;
};

// Blocking shorthands over the control channel.

/// Replaces `values` by their sums over all ranks. **Collective.**
void all_reduce_sum(Communicator& communicator, std::span<double> values, std::string_view tag);
/// The largest of the ranks' values. **Collective.**
std::int64_t maximum(Communicator& communicator, std::int64_t value, std::string_view tag);
/// Every rank's text, in rank order. **Collective.**
std::vector<std::string> all_gather_text(Communicator& communicator, std::string_view mine,
                                         std::string_view tag);

/// Runs `action` on every rank; when it throws on any, all ranks throw the lowest failing rank's error as an
/// AgreedError, its message preceded by "rank r: " where there is more than one rank. So all fail together.
///
/// An exception that is no Error counts as internal. An AgreedError passes through, since all ranks throw it,
/// and so does one of communication, since the ranks can then no longer agree on anything. **Collective.**
void together(Communicator& communicator, std::string_view tag, const std::function<void()>& action);

/// Calls action(first, last) for the blocks of 0 … count − 1, each on one rank: on whichever is done with its
/// last one, so that a rank on a busy core takes fewer. What becomes of a block must not depend on its rank.
/// Fails as `together` does, of several failures with any; blocks that nobody has begun by then are left out.
/// **Collective.**
/// @param block numbers in a block, but of the last one; ≥ 1 @param action must not communicate
void in_turns(Communicator& communicator, std::string_view tag, std::int64_t count, std::int64_t block,
              const std::function<void(std::int64_t first, std::int64_t last)>& action);

/// @throws AgreedError (bad_config) on every rank, naming the ranks whose `mine` differs from rank 0's and
/// saying what (`"the configuration"`) differs. **Collective.**
void require_same(Communicator& communicator, std::string_view what, std::string_view mine);

}  // namespace svi::comm
