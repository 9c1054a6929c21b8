#include "svi/cli/standard_streams.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <system_error>

#include "svi/cli/text.hpp"

namespace svi::cli {

namespace {

constexpr std::size_t usual_columns = 80;

// mpirun gives its ranks a terminal of their own, whatever becomes of its output: there the question is what
// mpirun's own output is. It is the parent of rank 0 on the first node.
int open_terminal() {
  if (isatty(STDOUT_FILENO) == 0) return -1;
  if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr) return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  std::error_code problem;
  const auto target = std::filesystem::read_symlink(fmt::format("/proc/{}/fd/1", getppid()), problem);
  if (problem || !target.string().starts_with("/dev/pts/")) return -1;
  return open(target.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
}

bool write_some(std::string_view& text) {
  const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
  if (count >= 0) {
    text.remove_prefix(static_cast<std::size_t>(count));
    return true;
  }
  if (errno != EAGAIN) return errno == EINTR;
  pollfd when_writable{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&when_writable, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

void open_standard_streams() noexcept {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    // The lowest free number is taken, which is this one, since those before it are open.
    if (fcntl(stream, F_GETFD) == -1 && errno == EBADF) open("/dev/null", O_RDWR);
  }
}

void tell_line(std::string_view line) noexcept try {
  std::fputs((printable(line, "\n") + "\n").c_str(), stderr);
  std::fflush(stderr);
} catch (const std::bad_alloc&) {
  std::fputs("out of memory\n", stderr);
}

void tell_error(std::string_view program, std::string_view message) noexcept try {
  tell_line(fmt::format("{}: error: {}", program, message));
} catch (const std::bad_alloc&) {
  std::fputs("out of memory\n", stderr);
}

Screen::Screen() : terminal_(open_terminal()) {}

Screen::~Screen() {
  if (terminal_ >= 0) close(terminal_);
}

std::size_t Screen::columns() const {
  winsize size{};
  const bool is_known = terminal_ >= 0 && ioctl(terminal_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_known ? size.ws_col : usual_columns;
}

void Screen::write(std::string_view text) {
  while (works_ && !text.empty()) works_ = write_some(text);
}

}  // namespace svi::cli
