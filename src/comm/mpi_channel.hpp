#pragma once

#include <mpi.h>

#include <deque>
#include <memory>

#include "mpi_operation.hpp"
#include "svi/comm/mpi.hpp"

namespace svi::comm {

/// One MPI communicator of ours, and what its operations need to know.
struct MpiChannel {
  MPI_Comm communicator = MPI_COMM_NULL;
  int rank = 0;
  int size = 1;
  MpiOptions options;
  std::shared_ptr<MpiProgress> progress;  // shared by data and control
  std::shared_ptr<int> exchanges;         // begun so far: the message tag of the next
};

/// Duplicates MPI_COMM_WORLD, with errors returned instead of fatal. **Collective.**
MpiChannel open_channel(const MpiOptions& options, std::shared_ptr<MpiProgress> progress);
struct NodeRank {
  int rank = 0;
  int size = 1;  ///< ranks of this node
};
/// **Collective.**
NodeRank rank_in_node_of(const MpiChannel& channel);

// The steps of each operation. They hold the channel by value and the buffers by address.
std::deque<MpiOperation::Step> all_reduce_steps(const MpiChannel& channel, Buffer values,
                                                ReduceOperation operation);
std::deque<MpiOperation::Step> broadcast_steps(const MpiChannel& channel, Buffer values, int root);
std::deque<MpiOperation::Step> all_gather_steps(const MpiChannel& channel, Buffer mine, Buffer all);
std::deque<MpiOperation::Step> barrier_steps(const MpiChannel& channel);

}  // namespace svi::comm
