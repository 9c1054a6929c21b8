#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "svi/comm/communicator.hpp"

namespace svi::comm {

struct MpiOptions {
  std::chrono::duration<double> timeout{300};  ///< how long `wait` waits before it throws
  /// The largest single message; more goes in pieces, since MPI counts in int. Smaller only in tests.
  std::int64_t message_bytes = std::int64_t{1} << 30;
  /// An all-reduce whose contributions together are no larger is one gather, a larger one two exchanges.
  std::int64_t gather_bytes = std::int64_t{1} << 16;
};

/// All ranks of MPI_COMM_WORLD, over two communicators of their own: one for data, one for control.
///
/// Takes host memory only. MPI must have been initialised with MPI_THREAD_SERIALIZED or more (see `launch`);
/// all calls of the process are serialised here, so several threads may use data and control at once.
///
/// All-reduce is our own: each rank receives its 1/R of the elements from every other, adds them in rank
/// order and returns the sums. Open MPI 4.1's MPI_Iallreduce moves as many bytes in 2.5 times the time of its
/// MPI_Allreduce (2.6 MB, 2 ranks), and both change an element's bits with the length of the buffer.
class Mpi final : public Communicator {
 public:
  /// **Collective.**
  explicit Mpi(MpiOptions options);
  ~Mpi() override;

  int rank() const override;
  int size() const override;
  int rank_in_node() const override;
  std::string name() const override { return "MPI"; }
  Communicator& control() override { return control_ ? *control_ : *this; }

  std::unique_ptr<Work> all_reduce(Buffer values, ReduceOperation operation, std::string_view tag) override;
  std::unique_ptr<Work> broadcast(Buffer values, int root, std::string_view tag) override;
  std::unique_ptr<Work> all_gather(Buffer mine, Buffer all, std::string_view tag) override;
  std::unique_ptr<Work> barrier(std::string_view tag) override;
  /// In rank 0's memory, reached by one-sided operations (MPI-3). Between nodes MPI may carry one out only
  /// when rank 0 calls MPI again.
  std::unique_ptr<Counter> counter(std::string_view tag) override;
  /// A file without a name in the kernel's memory, which others open by rank 0's descriptor (Linux): unlike
  /// MPI_Win_allocate_shared it needs no room in a folder of temporary files, and leaves nothing behind when
  /// ranks are killed.
  std::shared_ptr<void> shared_memory(std::int64_t bytes, std::string_view tag) override;

  void close() override;
  /// MPI_Abort; should that take longer than ten seconds, the process ends itself.
  [[noreturn]] void abort(ExitCode code) noexcept override;

 private:
  struct State;
  explicit Mpi(std::unique_ptr<State> state);  // the control channel

  std::unique_ptr<State> state_;
  std::unique_ptr<Mpi> control_;  // none in the control channel itself
};

}  // namespace svi::comm
