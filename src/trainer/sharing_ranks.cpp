#include "sharing_ranks.hpp"

#include <utility>

#include "svi/base/error.hpp"
#include "svi/base/units.hpp"

namespace svi::trainer {

void SharingRanks::meet() {
  if (size() == 1) return;
  const Stopwatch stopwatch;
  communicator_.control().barrier("work of a machine's ranks")->wait();
  seconds_ += stopwatch.seconds();
}

double SharingRanks::take_seconds() { return std::exchange(seconds_, 0.0); }

std::shared_ptr<void> SharingRanks::allocate(std::int64_t bytes) {
  auto memory = communicator_.shared_memory(bytes, "memory in common");
  if (memory) return memory;
  throw AgreedError(ExitCode::internal,
                    "the ranks of this machine cannot get {} of memory in common, though they got less; set "
                    "communication.shared_memory: false",
                    bytes_text(static_cast<double>(bytes)));
}

std::unique_ptr<SharingRanks> sharing_ranks(comm::Communicator& communicator) {
  constexpr std::int64_t attempt = 4096;  // bytes
  if (!communicator.shared_memory(attempt, "memory in common")) return nullptr;
  return std::make_unique<SharingRanks>(communicator);
}

}  // namespace svi::trainer
