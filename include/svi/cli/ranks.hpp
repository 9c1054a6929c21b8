#pragma once

#include <functional>
#include <string>

#include "svi/base/error.hpp"
#include "svi/comm/communicator.hpp"

namespace svi::cli {

/// Runs `action` on the ranks this process was started with and returns the exit code for main.
///
/// An AgreedError is told once and all ranks leave in order. Any other exception is told with its rank and
/// ends the job, since the others may wait in a Collective that this rank will never reach. **Collective.**
/// @param timeout_seconds for every Collective
int run_on_ranks(const std::string& program, double timeout_seconds,
                 const std::function<ExitCode(comm::Communicator&)>& action);

}  // namespace svi::cli
