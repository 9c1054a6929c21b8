#pragma once

#include <string>

namespace svi::io {

/// Keeps other processes of this kind out of a directory for as long as it lives; gone with the process,
/// however that ends. A file system without locks is taken as it is. **Local.**
class DirectoryLock {
 public:
  /// @throws Error (cannot_write) when another process holds it, or the lock file cannot be made
  explicit DirectoryLock(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int file_;
};

}  // namespace svi::io
