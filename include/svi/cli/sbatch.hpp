#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace svi::cli {

/// What a job script says of one run.
struct SbatchOptions {
  std::string job_name = "svi-train";
  std::string directory;               ///< absolute; relative paths of the configuration start here
  std::int64_t tasks = 4;              ///< ranks
  std::int64_t threads = 1;            ///< of each rank
  std::string program;                 ///< absolute path of svi-train
  std::vector<std::string> arguments;  ///< of svi-train
};

/// launch/svi-train.sbatch, as it was when this program was built, with the values of a run filled in.
/// @throws Error (internal) when a line that is to be filled in is not there. **Local.**
std::string sbatch_script(const SbatchOptions& options);

/// The text as one word of a shell, in single quotes unless it needs none. **Local.**
std::string shell_word(const std::string& text);

}  // namespace svi::cli
