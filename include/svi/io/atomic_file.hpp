#pragma once

#include <string>
#include <vector>

namespace svi::io {

/// A file that appears complete or not at all.
///
/// Write to `temporary_path()` (`.NAME.tmp-PID-RANDOM` in the target's folder, so that the rename stays in
/// one file system), then `commit`: fsync, rename, fsync of the folder. Without a commit the destructor
/// removes the temporary file. Measured elsewhere: rewriting in place and killing the writer left most files
/// unreadable. **Local.**
class AtomicFile {
 public:
  /// @param path where a symbolic link is followed
  /// @throws Error (cannot_write) when the folder does not exist or cannot be written, or `path` is a device,
  /// a pipe or a folder
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_path_; }

  /// The file must be closed by its writer. @throws Error (cannot_write); the old file is then untouched
  void commit();

 private:
  std::string path_;
  std::string temporary_path_;
  bool is_committed_ = false;
};

/// The ending of an output's name, which says what is written: ".h5". @throws Error (usage) when it is not
/// among these, naming them
std::string require_ending(const std::string& path, const std::vector<std::string>& endings);

/// Writes a small text file atomically. @throws Error (cannot_write)
void write_text(const std::string& path, const std::string& text);

/// The whole of a small text file. @throws Error (missing_input)
std::string read_text(const std::string& path);

}  // namespace svi::io
