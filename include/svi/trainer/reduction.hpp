#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "svi/comm/communicator.hpp"
#include "svi/core/contribution.hpp"

namespace svi::trainer {

/// Elements [first, last) of a contiguous tensor.
comm::Buffer buffer_of(const Tensor& flat, std::int64_t first, std::int64_t last);

/// The sum of the ranks' contributions, started piece by piece while a model still computes the rest.
class Reduction {
 public:
  explicit Reduction(comm::Communicator& communicator) : communicator_(communicator) {}

  /// From now on every range the model announces is on its way at once. **Local.**
  void begin(Contribution& contribution);
  /// The rest is on its way: all that was not announced. **Collective.**
  /// @throws Error (internal) when the model announced a part of the statistics only
  void start_rest();
  /// Waits; `contribution` then holds the totals, of shared work this rank's part of the rows alone. Nothing
  /// when nothing was begun. **Collective.**
  void finish();

  /// Seconds that this rank spent in `finish` and in starting operations, since the last call. **Local.**
  double take_seconds();

 private:
  void start(const Tensor& flat, std::int64_t first, std::int64_t last);

  comm::Communicator& communicator_;
  Contribution* contribution_ = nullptr;
  std::vector<std::unique_ptr<comm::Work>> under_way_;
  std::int64_t announced_ = 0;  // elements
  double seconds_ = 0;
};

}  // namespace svi::trainer
