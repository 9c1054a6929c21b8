#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>

#include "svi/base/error.hpp"
#include "svi/data/data_file.hpp"

namespace svi::data {

namespace {

constexpr rlim_t most_cpu_seconds = 120;

[[noreturn]] void open_and_exit(const std::function<void()>& open) {
  const rlimit no_core{0, 0};
  const rlimit cpu_seconds{most_cpu_seconds, most_cpu_seconds};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::setrlimit(RLIMIT_CPU, &cpu_seconds);
  ::close(STDERR_FILENO);  // what the C library says of a broken heap
  for (const int number : {SIGINT, SIGTERM, SIGUSR2}) std::signal(number, SIG_IGN);  // the parent's business
  try {
    open();
  } catch (const std::exception&) {
    // The parent meets it again and tells.
  }
  ::_exit(0);
}

}  // namespace

void open_in_child(const std::string& path) {
  try_in_child(path, [&path] { read_document_ids(DataFile(path).facts()); });
}

void try_in_child(const std::string& path, const std::function<void()>& open) {
  const pid_t child = ::fork();
  if (child < 0) throw Error(ExitCode::internal, "cannot start a process: {}", std::strerror(errno));
  if (child == 0) open_and_exit(open);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFSIGNALED(status)) return;
  const char* problem = WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL ? "does not return"
                                                                                   : "crashes";
  throw Error(ExitCode::bad_data,
              "{}: the HDF5 library {} when it opens this file ({}): it is damaged; copy it or make it again",
              path, problem, ::strsignal(WTERMSIG(status)));
}

}  // namespace svi::data
