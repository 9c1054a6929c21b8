#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace svi::cli {

/// Opens /dev/null in place of those of standard input, output and error that the program was started
/// without: else the next file it opens would take their number, and what is printed would go into that file.
/// **Local.**
void open_standard_streams() noexcept;

/// Writes a line to standard error, as `printable` writes it; where that fails there is nobody to tell.
void tell_line(std::string_view line) noexcept;

/// The line "PROGRAM: error: MESSAGE".
void tell_error(std::string_view program, std::string_view message) noexcept;

/// Standard output while a run goes on: that nobody reads it any more must not end the run. **Local.**
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// Whether a person sees it on a terminal, also through mpirun.
  bool is_terminal() const { return terminal_ >= 0; }
  /// Width of the terminal as it is now; 80 where it does not say.
  std::size_t columns() const;
  /// Writes at once. After a failure nothing more is written. Needs SIGPIPE ignored.
  void write(std::string_view text);

 private:
  int terminal_;  // a descriptor, −1: none
  bool works_ = true;
};

}  // namespace svi::cli
