#include "svi/comm/launch.hpp"

#include <mpi.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "mpi_operation.hpp"
#include "svi/comm/mpi.hpp"
#include "svi/comm/single_process.hpp"

namespace svi::comm {

namespace {

bool mpi_is_ours = false;  // begun by `launch`, to be ended by `finish`

// What mpirun (Open MPI; MPICH and Intel), srun with a PMI plugin, MVAPICH and Cray's PALS give each rank.
bool started_by_mpi_launcher() {
  for (const char* name :
       {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "MV2_COMM_WORLD_RANK", "PALS_RANKID"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

std::optional<int> number_in(const char* name) {
  const char* text = std::getenv(name);
  int number = 0;
  if (text == nullptr) return std::nullopt;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

struct Announcement {
  const char* variable;
  int ranks;
};

// The closest launcher's word counts: mpirun in a SLURM job may start fewer ranks than the job has tasks.
std::optional<Announcement> announced_ranks(bool by_mpi_launcher) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    if (const auto ranks = number_in(name)) return Announcement{name, *ranks};
  }
  if (by_mpi_launcher) return std::nullopt;
  if (const auto ranks = number_in("SLURM_NTASKS")) return Announcement{"SLURM_NTASKS", *ranks};
  return std::nullopt;
}

void refuse_fewer(int world, const std::optional<Announcement>& announced) {
  if (!announced || announced->ranks <= world) return;
  throw Error(
      ExitCode::usage,
      "{}={} announces {} ranks, but MPI found {}: started so, the programs know nothing of one another "
      "and each would train alone; start them with `srun --mpi=pmix` or with the `mpirun` of the MPI "
      "this program was built with, or start a single one with `mpirun -np 1` or `srun -n 1`",
      announced->variable, announced->ranks, announced->ranks, world);
}

void begin_mpi() {
  int provided = 0;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
  mpi_is_ours = true;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  if (provided < MPI_THREAD_SERIALIZED) {
    throw Error(ExitCode::communication,
                "this MPI library allows no threads: it offers level {}, but {} is needed", provided,
                MPI_THREAD_SERIALIZED);
  }
}

}  // namespace

std::unique_ptr<Communicator> launch(std::chrono::duration<double> timeout) {
  const bool by_mpi_launcher = started_by_mpi_launcher();
  const auto announced = announced_ranks(by_mpi_launcher);
  if (!by_mpi_launcher) {
    refuse_fewer(1, announced);
    return std::make_unique<SingleProcess>();
  }
  begin_mpi();
  int world = 0;
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &world), "MPI_Comm_size");
  try {
    refuse_fewer(world, announced);
  } catch (const Error&) {
    finish();  // every rank of this world sees the same
    throw;
  }
  return std::make_unique<Mpi>(MpiOptions{.timeout = timeout});
}

void finish() {
  if (std::exchange(mpi_is_ours, false)) check_mpi(MPI_Finalize(), "MPI_Finalize");
}

}  // namespace svi::comm
