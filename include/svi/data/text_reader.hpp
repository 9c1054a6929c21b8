#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/io/gzip.hpp"

namespace svi::data {

/// The lines of a text file, plain or gzip, and messages that name the line. **Local.**
class TextReader {
 public:
  /// @throws Error (missing_input) when it cannot be opened
  explicit TextReader(const std::string& path) : file_(path) {}

  /// Moves to the next line; false at the end. @throws Error (bad_data) when a gzip file is damaged
  bool next() { return file_.read_line(line_); }
  /// The present line, without its newline and a carriage return before it.
  const std::string& line() const { return line_; }
  std::int64_t line_number() const { return file_.line_number(); }  ///< counted from 1
  const std::string& path() const { return file_.path(); }

  /// The bytes that follow the present line, for those who cut lines themselves: as `io::InputFile::read`.
  std::size_t read(std::span<std::byte> bytes) { return file_.read(bytes); }

  /// A bad_data Error "PATH, line N: …" about the present line.
  template <typename... Arguments>
  Error problem(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    return problem_at(line_number(), format, std::forward<Arguments>(arguments)...);
  }
  /// The same about another line.
  template <typename... Arguments>
  Error problem_at(std::int64_t line, fmt::format_string<Arguments...> format,
                   Arguments&&... arguments) const {
    return Error(ExitCode::bad_data, "{}, line {}: {}", path(), line,
                 fmt::format(format, std::forward<Arguments>(arguments)...));
  }

 private:
  io::InputFile file_;
  std::string line_;
};

/// The whole number that a text is, or nothing: no sign but '-', no blanks, within 64 bits.
std::optional<std::int64_t> whole_number(std::string_view text);

/// The number that a text is, or nothing: decimal or with an exponent, no blanks; neither NaN nor infinite.
std::optional<double> real_number(std::string_view text);

/// The words of a line between blanks and tabs.
std::vector<std::string_view> words_of(std::string_view line);

/// A text as it may stand in a message: in quotes, shortened, without control characters.
std::string in_quotes(std::string_view text);

}  // namespace svi::data
