#pragma once

#include <string>
#include <vector>

namespace svi::data {

/// Runs a program to its end, without a shell, its output appended to a log file.
///
/// @param command program (sought in PATH) and arguments, each passed verbatim
/// @param directory where it runs
/// @throws Error (missing_input) when there is no such program or it ends with another code than 0: the
/// message names the command, the code and the last lines of its output. **Local.**
void run_child(const std::vector<std::string>& command, const std::string& directory,
               const std::string& log_path);

}  // namespace svi::data
