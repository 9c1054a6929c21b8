#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "svi/comm/communicator.hpp"
#include "svi/core/contribution.hpp"

namespace svi::trainer {

/// The sum of the ranks' contributions, started piece by piece while a model still computes the rest.
class Reduction {
 public:
  explicit Reduction(comm::Communicator& communicator) : communicator_(communicator) {}

  /// From now on every range the model announces is on its way at once. **Local.**
  void begin(Contribution& contribution);
  /// Reduces the terms, and everything when nothing was announced; waits: `contribution` then holds the totals.
  /// @throws Error (internal) when the model announced a part only **Collective.**
  void finish();

  /// Seconds that this rank spent in `finish` and in starting operations, since the last call. **Local.**
  double take_seconds();

 private:
  void start(std::int64_t first, std::int64_t last);

  comm::Communicator& communicator_;
  Contribution* contribution_ = nullptr;
  std::vector<std::unique_ptr<comm::Work>> under_way_;
  std::int64_t announced_ = 0;  // elements
  double seconds_ = 0;
};

}  // namespace svi::trainer
