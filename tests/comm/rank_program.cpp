// A rank that behaves as its first argument says; launch_test.cpp starts it alone and under mpirun and looks
// at what comes out.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "svi/comm/launch.hpp"
#include "svi/comm/mpi.hpp"

using namespace svi;
using namespace svi::comm;

namespace {

void end_well(std::unique_ptr<Communicator>& ranks) {
  ranks->close();
  ranks.reset();
  finish();
}

// Rank 1 aborts from two threads at once while the others wait for it.
void abort_twice(Communicator& ranks) {
  if (ranks.rank() == 1) {
    std::thread other([&] { ranks.abort(ExitCode::stopped); });
    ranks.abort(ExitCode::stopped);
  }
  ranks.barrier("never complete")->wait();
}

// Rank 1 never joins; rank 0 gives up and ends the job.
void wait_in_vain(Communicator& ranks) {
  if (ranks.rank() == 1) std::this_thread::sleep_for(std::chrono::hours(1));
  Communicator& control = ranks.control();
  try {
    control.barrier("epoch end")->wait();
  } catch (const Error& error) {
    fmt::print("{}\n", error.what());
    ranks.abort(error.code());
  }
}

// Ranks disagree on the length: MPI reports a message longer than its receiver expects.
// Small messages: of large ones Open MPI 4.1 writes what it should truncate.
void mismatch(Communicator& ranks) {
  std::vector<double> values(ranks.rank() == 0 ? 100 : 200);
  try {
    ranks.all_reduce(buffer_of(std::span(values)), ReduceOperation::sum, "gradient")->wait();
    ranks.barrier("others fail")->wait();
  } catch (const Error& error) {
    fmt::print("{}\n", error.what());
    ranks.abort(error.code());
  }
}

int run(const std::string& behaviour) {
  const bool is_impatient = behaviour == "wait-in-vain";
  auto ranks = launch(std::chrono::milliseconds(is_impatient ? 300 : 60'000));
  fmt::print("{} {} of {}\n", ranks->name(), ranks->rank(), ranks->size());
  std::fflush(stdout);
  if (behaviour == "report") end_well(ranks);
  if (behaviour == "abort") abort_twice(*ranks);
  if (behaviour == "wait-in-vain") wait_in_vain(*ranks);
  if (behaviour == "mismatch") mismatch(*ranks);
  if (behaviour == "throw") throw Error(ExitCode::bad_data, "thrown");
  if (behaviour == "forget-close") ranks.reset();
  finish();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "");
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    try {
      finish();
    } catch (const Error&) {
    }
    return static_cast<int>(error.code());
  }
}
