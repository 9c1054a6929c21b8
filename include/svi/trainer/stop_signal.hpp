#pragma once

namespace svi::trainer {

/// Whether SIGINT, SIGTERM or SIGUSR2 has arrived; the handler notes when, and no more.
///
/// A launcher may signal one rank or all: the ranks agree on the step to stop at by adding up their flags. The
/// same signal again ends the process as if there were no handler, however long a step takes; but only two
/// seconds after the first, since some launchers signal a process and its group. **Local.**
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool is_requested() const;
};

}  // namespace svi::trainer
