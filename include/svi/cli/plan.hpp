#pragma once

#include <string>
#include <utility>
#include <vector>

#include "svi/comm/communicator.hpp"
#include "svi/trainer/experiment.hpp"

namespace svi::cli {

/// Every derived number of a run that a person would want to know before it starts, as name and text.
///
/// Ranks, hosts, device, threads, rows per rank, parameters, bytes per step, checkpoint size, memory a rank,
/// steps, where things lie. **Collective.**
std::vector<std::pair<std::string, std::string>> plan(trainer::Experiment& experiment,
                                                      comm::Communicator& communicator);

/// The same as aligned lines.
std::string plan_text(const std::vector<std::pair<std::string, std::string>>& plan);

}  // namespace svi::cli
