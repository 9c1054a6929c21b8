#pragma once

namespace svi::trainer {

/// Whether SIGINT, SIGTERM or SIGUSR2 has arrived; the handler sets a flag and nothing else.
///
/// A launcher may signal one rank or all: the ranks agree on the step to stop at by adding up their flags. A
/// second SIGINT ends the process as if there were no handler. **Local.**
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool is_requested() const;
};

}  // namespace svi::trainer
