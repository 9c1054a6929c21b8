#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace svi {

/// What a process returns to its caller; the numbers are those of BSD's sysexits.h.
enum class ExitCode : int {
  done = 0,
  usage = 64,          ///< the command line is wrong
  bad_data = 65,       ///< an input exists but its contents are wrong
  missing_input = 66,  ///< an input does not exist or cannot be read
  internal = 70,       ///< a defect of ours, or the run diverged
  communication = 71,  ///< ranks could not talk to each other; the run can be resumed
  cannot_write = 73,   ///< an output cannot be created or written
  stopped = 75,        ///< stopped on request; the run can be resumed
  bad_config = 78,     ///< the configuration is wrong
};

/// The one exception of this project: a message that suffices to mend the cause, and the exit code.
///
/// The message says what was found, what was expected and what to do, and names the file, key, line or
/// rank. It starts in lower case and carries no full stop, since callers put a prefix before it.
class Error : public std::runtime_error {
 public:
  template <typename... Arguments>
  explicit Error(ExitCode code, fmt::format_string<Arguments...> format, Arguments&&... arguments)
      : std::runtime_error(fmt::format(format, std::forward<Arguments>(arguments)...)), code_(code) {}

  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// An Error that all ranks throw at the same place, so that they can leave in order and one of them tells.
class AgreedError : public Error {
 public:
  using Error::Error;
};

}  // namespace svi
