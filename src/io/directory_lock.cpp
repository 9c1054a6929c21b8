#include "svi/io/directory_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "svi/base/error.hpp"

namespace svi::io {

DirectoryLock::DirectoryLock(const std::string& directory) {
  const std::string path = directory + "/.lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) {
    throw Error(ExitCode::cannot_write, "cannot make {}: {}", path, std::generic_category().message(errno));
  }
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(file_);
    throw Error(ExitCode::cannot_write,
                "{} is in use by another run; wait for its end or choose another directory", directory);
  }
}

DirectoryLock::~DirectoryLock() { ::close(file_); }

}  // namespace svi::io
