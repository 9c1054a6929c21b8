#pragma once

#include <chrono>
#include <memory>

#include "svi/comm/communicator.hpp"

namespace svi::comm {

/// The communicator of this process as it was started: `Mpi` under mpirun or srun (also with one rank),
/// `SingleProcess` when started alone. Initialises MPI only where a launcher is found in the environment.
///
/// @param timeout how long an operation may take before `wait` throws
/// @throws Error (usage) when the launcher announces another number of ranks than MPI found, as happens when
/// `srun` starts N programs that know nothing of one another; says how to start it properly. **Collective.**
std::unique_ptr<Communicator> launch(std::chrono::duration<double> timeout);

/// Ends MPI when `launch` began it; called once, last, by main on the way out without an error.
/// **Collective.**
void finish();

}  // namespace svi::comm
