#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace svi::io {

/// A plain or gzip-compressed file, read from start to end; its first bytes tell which, not its name.
///
/// A compressed file that is cut short or damaged is an error and never looks like a shorter one. **Local.**
class InputFile {
 public:
  /// @throws Error (missing_input) when it does not exist, is a folder or can't be read
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(InputFile&&) noexcept;

  const std::string& path() const { return path_; }

  /// The next line without its end ("\n" or "\r\n"); false at the end of the file.
  /// @throws Error (bad_data) when the file is damaged or a line is longer than 1 GiB
  bool read_line(std::string& line);
  /// Number of the line last read, counted from 1.
  std::int64_t line_number() const { return line_number_; }

  /// As many bytes as there are, at most the span's; 0 at the end. @throws Error (bad_data)
  std::size_t read(std::span<std::byte> bytes);
  /// Fills the span.
  /// @param what for the message: "the header of an IDX file"
  /// @throws Error (bad_data) when the file ends before
  void read_exactly(std::span<std::byte> bytes, const char* what);

 private:
  struct Stream;
  std::size_t fetch(void* bytes, std::size_t most);
  bool refill();

  std::string path_;
  std::unique_ptr<Stream> stream_;
  std::int64_t line_number_ = 0;
};

}  // namespace svi::io
