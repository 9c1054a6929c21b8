#pragma once

#include <string>

#include "svi/data/data_file.hpp"
#include "svi/trainer/settings.hpp"

namespace svi::cli {

/// Opens a data file once a child process has survived that (see data::open_in_child). Before MPI is started.
data::DataFile open_data(const std::string& path);

/// Lets children try the files of a configuration, for those that then open them by `trainer::TrainingData`.
/// @throws Error (bad_data) when a child does not survive one
void try_data(const trainer::Settings& settings);

}  // namespace svi::cli
