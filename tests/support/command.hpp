#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace svi::test {

/// How a child process ended and what it said.
struct Outcome {
  int exit_code = -1;  ///< −1: it died of a signal
  std::string output;  ///< standard output
  std::string errors;  ///< standard error

  bool says(std::string_view text) const {
    return output.find(text) != std::string::npos || errors.find(text) != std::string::npos;
  }
  /// Everything, for the message of a failed expectation.
  std::string all() const { return "exit code " + std::to_string(exit_code) + "\n" + output + errors; }
};

inline std::string read_to_end(std::FILE* file) {
  std::string text;
  char block[4096];
  while (const std::size_t count = std::fread(block, 1, sizeof block, file)) text.append(block, count);
  return text;
}

/// Runs a command of the shell to its end. Only these variables are set, so that nothing is inherited from
/// how the test itself was started. One that hangs is killed after two minutes: exit code 137.
inline Outcome run(const std::string& variables, const std::string& command) {
  std::FILE* errors = std::tmpfile();
  if (errors == nullptr) throw std::runtime_error("no temporary file");
  const std::string line = "timeout -s KILL 120 env -i PATH=\"$PATH\" HOME=/tmp " + variables + " " +
                           command + " 2>&" + std::to_string(fileno(errors)) + " </dev/null";
  std::FILE* pipe = ::popen(line.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + line);
  Outcome outcome;
  outcome.output = read_to_end(pipe);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  std::rewind(errors);
  outcome.errors = read_to_end(errors);
  std::fclose(errors);
  return outcome;
}

/// What Open MPI must be told on one machine; see launch/environment.sh.
inline const std::string mpirun_variables =
    "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 "
    "OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none ";

}  // namespace svi::test
