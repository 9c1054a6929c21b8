#include "svi/data/child_process.hpp"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "svi/base/error.hpp"

extern char** environ;  // NOLINT: POSIX names it so

namespace svi::data {

namespace {

constexpr std::size_t lines_told = 4;

// Where a child's three standard files lead, and where it starts.
class FileActions {
 public:
  FileActions(const std::string& directory, const std::string& log_path) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log_path.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// Messages in English, so that the log reads the same everywhere.
std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::strncmp(*variable, "LC_", 3) != 0 && std::strncmp(*variable, "LANG", 4) != 0) {
      variables.emplace_back(*variable);
    }
  }
  variables.emplace_back("LC_ALL=C.UTF-8");
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::size_t size_of(const std::string& path) {
  struct stat facts {};
  return stat(path.c_str(), &facts) == 0 ? static_cast<std::size_t>(facts.st_size) : 0;
}

// The last lines that were written after `start`, on one line.
std::string last_lines(const std::string& log_path, std::size_t start) {
  std::ifstream log(log_path);
  log.seekg(static_cast<std::streamoff>(start));
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.size() > lines_told) lines.erase(lines.begin(), lines.end() - lines_told);
  return lines.empty() ? "it printed nothing" : fmt::format("{}", fmt::join(lines, " | "));
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR)
      throw Error(ExitCode::internal, "cannot wait for a child process: {}", std::strerror(errno));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

void run_child(const std::vector<std::string>& command, const std::string& directory,
               const std::string& log_path) {
  std::ofstream(log_path, std::ios::app) << fmt::format("$ {}\n", fmt::join(command, " "));
  const std::size_t start = size_of(log_path);
  std::vector<std::string> arguments = command;
  std::vector<std::string> variables = environment();
  const FileActions actions(directory, log_path);
  pid_t child = 0;
  const int failure = posix_spawnp(&child, command.front().c_str(), actions.get(), nullptr,
                                   pointers(arguments).data(), pointers(variables).data());
  if (failure != 0) {
    throw Error(ExitCode::missing_input, "cannot start {}: {}", command.front(), std::strerror(failure));
  }
  const int code = wait_for(child);
  if (code != 0) {
    throw Error(ExitCode::missing_input, "`{}` ended with code {}: {} (see {})", fmt::join(command, " "),
                code, last_lines(log_path, start), log_path);
  }
}

}  // namespace svi::data
