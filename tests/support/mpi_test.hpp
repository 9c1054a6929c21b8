#pragma once

#include "svi/comm/communicator.hpp"

namespace svi::test {

/// All ranks of this MPI test, started by support/mpi_main.cpp.
comm::Communicator& world();

}  // namespace svi::test
