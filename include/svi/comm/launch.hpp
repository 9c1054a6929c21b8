#pragma once

#include <chrono>
#include <memory>

#include "svi/comm/communicator.hpp"

namespace svi::comm {

/// The communicator of this process as it was started: `Mpi` under mpirun or srun with a PMI plugin (also
/// with one rank), `SingleProcess` when started alone. MPI is initialised only where such a launcher is found
/// in the environment.
///
/// N programs started as N singletons by mistake are recognised by the number of ranks that the closest
/// launcher announces, when MPI finds fewer: OMPI_COMM_WORLD_SIZE, PMI_SIZE, or SLURM_STEP_NUM_TASKS, which
/// srun sets for each step. Without any of them SLURM_NTASKS counts for a plain start, since then srun was
/// forgotten in a job of several tasks; mpirun may well start fewer ranks than the job has tasks.
///
/// @param timeout how long an operation may take before `wait` throws
/// @throws Error (usage) when fewer ranks were found than announced; says how to start them. **Collective.**
std::unique_ptr<Communicator> launch(std::chrono::duration<double> timeout);

/// Ends MPI when `launch` began it; called once, last, by main on the way out without an error.
/// **Collective.**
void finish();

}  // namespace svi::comm
