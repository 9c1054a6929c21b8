#include "svi/io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "svi/base/error.hpp"

namespace svi::io {

namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& path, int error) {
  const char* advice = "";
  if (error == ENOSPC || error == EDQUOT) advice = "; free some space, or choose a folder on another disk";
  if (error == ENOENT) advice = "; the folder must exist";
  throw Error(ExitCode::cannot_write, "cannot {} {}: {}{}", what, path, std::strerror(error), advice);
}

// A file descriptor that is closed on every path.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : value_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool is_open() const { return value_ >= 0; }
  int get() const { return value_; }
  int close() { return ::close(std::exchange(value_, -1)); }

 private:
  int value_;
};

std::filesystem::path folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

std::string temporary_path_for(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename();
  return folder_of(path) / fmt::format(".{}.tmp-{}-{:08x}", name, ::getpid(), std::random_device{}());
}

// A link stays a link; the file it leads to is written.
std::string target_of(const std::string& path) {
  std::error_code problem;
  if (!std::filesystem::is_symlink(path, problem)) return path;
  auto target = std::filesystem::weakly_canonical(path, problem);
  if (problem) refuse("write", path, problem.value());
  return target;
}

void sync_file(const std::string& temporary_path, const std::string& path) {
  Descriptor file(temporary_path, O_RDWR);
  if (!file.is_open() || ::fsync(file.get()) != 0 || file.close() != 0) refuse("save", path, errno);
}

// Some file systems cannot sync a folder and say so with EINVAL.
void sync_folder(const std::string& path) {
  Descriptor folder(folder_of(path), O_RDONLY | O_DIRECTORY);
  if (!folder.is_open() || (::fsync(folder.get()) != 0 && errno != EINVAL)) refuse("save", path, errno);
}

}  // namespace

AtomicFile::AtomicFile(std::string path)
    : path_(target_of(path)), temporary_path_(temporary_path_for(path_)) {
  struct stat facts {};
  if (::stat(path_.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) {
    if (S_ISDIR(facts.st_mode)) refuse("write", path_, EISDIR);
    throw Error(ExitCode::cannot_write, "cannot write {}: it is no regular file, and would be replaced by one",
                path_);
  }
  const Descriptor file(temporary_path_, O_WRONLY | O_CREAT | O_EXCL);
  if (!file.is_open()) refuse("write", path_, errno);
}

AtomicFile::~AtomicFile() {
  if (!is_committed_) ::unlink(temporary_path_.c_str());
}

void AtomicFile::commit() {
  sync_file(temporary_path_, path_);
  if (::rename(temporary_path_.c_str(), path_.c_str()) != 0) refuse("save", path_, errno);
  is_committed_ = true;
  sync_folder(path_);
}

std::string require_ending(const std::string& path, const std::vector<std::string>& endings) {
  const std::string ending = std::filesystem::path(path).extension();
  if (std::ranges::find(endings, ending) != endings.end()) return ending;
  std::string expected = endings.front();
  for (std::size_t i = 1; i < endings.size(); ++i)
    expected += (i + 1 < endings.size() ? ", " : " or ") + endings[i];
  throw Error(ExitCode::usage, "the name of the output {} ends in \"{}\", expected {}", path, ending, expected);
}

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  {
    Descriptor output(file.temporary_path(), O_WRONLY | O_TRUNC);
    if (!output.is_open()) refuse("write", path, errno);
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t count = ::write(output.get(), text.data() + done, text.size() - done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) refuse("write", path, errno);
      done += static_cast<std::size_t>(count);
    }
    if (output.close() != 0) refuse("write", path, errno);
  }
  file.commit();
}

std::string read_text(const std::string& path) {
  if (std::filesystem::is_directory(path))
    throw Error(ExitCode::missing_input, "{} is a folder, not a file", path);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ExitCode::missing_input, "cannot read {}: {}", path, std::strerror(errno));
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) throw Error(ExitCode::missing_input, "reading {} failed part of the way", path);
  return std::move(text).str();
}

}  // namespace svi::io
