#include "mpi_channel.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace svi::comm {

MpiChannel open_channel(const MpiOptions& options, std::shared_ptr<MpiProgress> progress) {
  MpiChannel channel;
  channel.options = options;
  channel.progress = std::move(progress);
  channel.exchanges = std::make_shared<int>(0);
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &channel.communicator), "MPI_Comm_dup");
  check_mpi(MPI_Comm_set_errhandler(channel.communicator, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(channel.communicator, &channel.rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(channel.communicator, &channel.size), "MPI_Comm_size");
  return channel;
}

NodeRank rank_in_node_of(const MpiChannel& channel) {
  MPI_Comm node = MPI_COMM_NULL;
  check_mpi(
      MPI_Comm_split_type(channel.communicator, MPI_COMM_TYPE_SHARED, channel.rank, MPI_INFO_NULL, &node),
      "MPI_Comm_split_type");
  NodeRank in_node;
  check_mpi(MPI_Comm_rank(node, &in_node.rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(node, &in_node.size), "MPI_Comm_size");
  check_mpi(MPI_Comm_free(&node), "MPI_Comm_free");
  return in_node;
}

namespace {

using Requests = MpiOperation::Requests;
using Steps = std::deque<MpiOperation::Step>;

struct Part {
  std::byte* data;
  std::int64_t bytes;
};

// Messages carry bytes: the elements' type matters only where they are added.
std::vector<Part> parts_of(const Buffer& buffer, std::int64_t most) {
  std::vector<Part> parts;
  for (std::int64_t first = 0; first < buffer.bytes(); first += most) {
    parts.push_back({static_cast<std::byte*>(buffer.data) + first, std::min(most, buffer.bytes() - first)});
  }
  return parts;
}

void broadcast_parts(const MpiChannel& channel, const Buffer& values, int root, Requests& requests) {
  for (const Part& part : parts_of(values, channel.options.message_bytes)) {
    requests.emplace_back();
    check_mpi(MPI_Ibcast(part.data, static_cast<int>(part.bytes), MPI_BYTE, root, channel.communicator,
                         &requests.back()),
              "MPI_Ibcast");
  }
}

Buffer block_of(const Buffer& all, int rank, std::int64_t count) {
  Buffer block = all;
  block.count = count;
  block.data = static_cast<std::byte*>(all.data) + rank * block.bytes();
  return block;
}

void gather(const MpiChannel& channel, const Buffer& mine, void* all, Requests& requests) {
  requests.emplace_back();
  const int bytes = static_cast<int>(mine.bytes());
  check_mpi(MPI_Iallgather(mine.data, bytes, MPI_BYTE, all, bytes, MPI_BYTE, channel.communicator,
                           &requests.back()),
            "MPI_Iallgather");
}

}  // namespace

Steps barrier_steps(const MpiChannel& channel) {
  return {[channel](Requests& requests) {
    requests.emplace_back();
    check_mpi(MPI_Ibarrier(channel.communicator, &requests.back()), "MPI_Ibarrier");
  }};
}

Steps broadcast_steps(const MpiChannel& channel, Buffer values, int root) {
  return {[=](Requests& requests) { broadcast_parts(channel, values, root, requests); }};
}

Steps all_gather_steps(const MpiChannel& channel, Buffer mine, Buffer all) {
  if (mine.bytes() <= channel.options.message_bytes) {
    return {[=](Requests& requests) { gather(channel, mine, all.data, requests); }};
  }
  return {[=](Requests& requests) {
    std::memcpy(block_of(all, channel.rank, mine.count).data, mine.data,
                static_cast<std::size_t>(mine.bytes()));
    for (int root = 0; root < channel.size; ++root) {
      broadcast_parts(channel, block_of(all, root, mine.count), root, requests);
    }
  }};
}

}  // namespace svi::comm
