#pragma once

#include <memory>

#include "svi/base/stopwatch.hpp"
#include "svi/comm/communicator.hpp"
#include "svi/core/shared_work.hpp"

namespace svi::trainer {

/// Ranks that are all on one machine share work; a rank alone does all of it.
class SharingRanks final : public SharedWork {
 public:
  explicit SharingRanks(comm::Communicator& communicator) : communicator_(communicator) {}

  int size() const override { return communicator_.size(); }
  int rank() const override { return communicator_.rank(); }
  void meet() override;

  /// Seconds that this rank spent in waiting for others, since the last call. **Local.**
  double take_seconds();

 private:
  std::shared_ptr<void> allocate(std::int64_t bytes) override;

  comm::Communicator& communicator_;
  double seconds_ = 0;
};

/// Null where the ranks have no memory in common. **Collective.**
std::unique_ptr<SharingRanks> sharing_ranks(comm::Communicator& communicator);

}  // namespace svi::trainer
