// All-reduce in rank order, out of MPI's gathers and messages.
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "mpi_channel.hpp"

namespace svi::comm {

namespace {

using Requests = MpiOperation::Requests;
using Steps = std::deque<MpiOperation::Step>;

Buffer slice(const Buffer& buffer, std::int64_t first, std::int64_t count) {
  Buffer part = buffer;
  part.count = count;
  part.data = static_cast<std::byte*>(buffer.data) + first * element_bytes(buffer.type);
  return part;
}

// The segment of the elements that `rank` adds up: sizes differ by at most one.
Buffer segment_of(const Buffer& values, int rank, int size) {
  const std::int64_t first = values.count * rank / size;
  return slice(values, first, values.count * (rank + 1) / size - first);
}

// The contributions of all ranks to the same elements: mine where they are, the others' in scratch memory.
class Contributions {
 public:
  Contributions(Buffer mine, int rank, int size)
      : mine_(mine),
        rank_(rank),
        size_(size),
        scratch_(std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(mine.bytes() * size))) {
  }

  std::byte* of(int rank) const {
    return rank == rank_ ? static_cast<std::byte*>(mine_.data) : scratch_.get() + rank * mine_.bytes();
  }

  // Replaces mine by all of them, added left to right in rank order: so an element gets the same bits
  // whichever rank adds it. In blocks, so that the sums stay in the cache.
  void combine(ReduceOperation operation) const {
    static constexpr std::int64_t block = 4096;
    for (std::int64_t first = 0; first < mine_.count; first += block) {
      const Buffer result = slice(mine_, first, std::min(block, mine_.count - first));
      const std::int64_t offset = first * element_bytes(mine_.type);
      Buffer total = result;
      total.data = of(0) + offset;
      for (int rank = 1; rank < size_; ++rank) accumulate(total, of(rank) + offset, operation);
      if (rank_ != 0) std::memcpy(result.data, total.data, static_cast<std::size_t>(result.bytes()));
    }
  }

 private:
  Buffer mine_;
  int rank_;
  int size_;
  std::unique_ptr<std::byte[]> scratch_;
};

// Every rank receives all contributions and adds them for itself.
void append_gather(Steps& steps, const MpiChannel& channel, Buffer values, ReduceOperation operation) {
  auto all = std::make_shared<std::vector<std::byte>>();
  steps.emplace_back([=](Requests& requests) {
    all->resize(static_cast<std::size_t>(values.bytes() * channel.size));
    const int bytes = static_cast<int>(values.bytes());
    requests.emplace_back();
    check_mpi(MPI_Iallgather(values.data, bytes, MPI_BYTE, all->data(), bytes, MPI_BYTE, channel.communicator,
                             &requests.back()),
              "MPI_Iallgather");
  });
  steps.emplace_back([=](Requests&) {
    std::memcpy(values.data, all->data(), static_cast<std::size_t>(values.bytes()));
    for (int rank = 1; rank < channel.size; ++rank) {
      accumulate(values, all->data() + rank * values.bytes(), operation);
    }
  });
}

struct Exchange {
  const MpiChannel& channel;
  int message_tag;
  Requests& requests;

  void send(const Buffer& buffer, int to) {
    requests.emplace_back();
    check_mpi(MPI_Isend(buffer.data, static_cast<int>(buffer.bytes()), MPI_BYTE, to, message_tag,
                        channel.communicator, &requests.back()),
              "MPI_Isend");
  }
  void receive(void* data, std::int64_t bytes, int from) {
    requests.emplace_back();
    check_mpi(MPI_Irecv(data, static_cast<int>(bytes), MPI_BYTE, from, message_tag, channel.communicator,
                        &requests.back()),
              "MPI_Irecv");
  }
};

// Each rank receives its segment from every other, adds, and returns the result. Both exchanges share one
// message tag: MPI keeps the order of messages between two ranks.
void append_exchange(Steps& steps, const MpiChannel& channel, Buffer values, ReduceOperation operation) {
  auto contributions = std::make_shared<std::optional<Contributions>>();
  // Every MPI library has at least 32,768 tags; so many are never under way at once.
  const int message_tag = (*channel.exchanges)++ % 32768;
  const Buffer mine = segment_of(values, channel.rank, channel.size);

  steps.emplace_back([=](Requests& requests) {
    contributions->emplace(mine, channel.rank, channel.size);
    Exchange exchange{channel, message_tag, requests};
    for (int distance = 1; distance < channel.size; ++distance) {
      const int from = (channel.rank - distance + channel.size) % channel.size;
      const int to = (channel.rank + distance) % channel.size;
      exchange.receive((*contributions)->of(from), mine.bytes(), from);
      exchange.send(segment_of(values, to, channel.size), to);
    }
  });
  steps.emplace_back([=](Requests& requests) {
    (*contributions)->combine(operation);
    contributions->reset();
    Exchange exchange{channel, message_tag, requests};
    for (int distance = 1; distance < channel.size; ++distance) {
      const int from = (channel.rank - distance + channel.size) % channel.size;
      const Buffer theirs = segment_of(values, from, channel.size);
      exchange.receive(theirs.data, theirs.bytes(), from);
      exchange.send(mine, (channel.rank + distance) % channel.size);
    }
  });
}

}  // namespace

Steps all_reduce_steps(const MpiChannel& channel, Buffer values, ReduceOperation operation) {
  Steps steps;
  if (values.count == 0) return steps;  // on every rank, so nobody waits
  const std::int64_t most =
      std::max<std::int64_t>(1, channel.options.message_bytes / element_bytes(values.type));
  // A gather is one of MPI's collectives, which all ranks must begin in the same order: so it is only ever
  // the first step, taken when the operation begins. Exchanges find each other by their message tag.
  const bool small = values.bytes() * channel.size <= channel.options.gather_bytes;
  if (small && values.count <= most) {
    append_gather(steps, channel, values, operation);
    return steps;
  }
  for (std::int64_t first = 0; first < values.count; first += most) {
    append_exchange(steps, channel, slice(values, first, std::min(most, values.count - first)), operation);
  }
  return steps;
}

}  // namespace svi::comm
