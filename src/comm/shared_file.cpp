#include "shared_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace svi::comm {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (is_open()) ::close(number_);
  }
  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_;
};

// Where rank 0's file is found, and what tells it from all others of the machine.
struct Place {
  std::int64_t process = 0;
  std::int64_t descriptor = -1;  // −1: there is none
  std::int64_t device = 0;
  std::int64_t inode = 0;

  bool operator==(const Place&) const = default;
};

Place place_of(std::int64_t process, std::int64_t number, const Descriptor& file) {
  struct stat facts {};
  if (!file.is_open() || ::fstat(file.number(), &facts) != 0) return {.process = process};
  return {process, number, static_cast<std::int64_t>(facts.st_dev), static_cast<std::int64_t>(facts.st_ino)};
}

Descriptor new_file(std::int64_t bytes) {
  rlimit largest{};  // beyond which ftruncate would end the process
  if (::getrlimit(RLIMIT_FSIZE, &largest) != 0 || static_cast<rlim_t>(bytes) > largest.rlim_cur)
    return Descriptor(-1);
  Descriptor file(::memfd_create("svi", MFD_CLOEXEC));
  if (file.is_open() && ::ftruncate(file.number(), bytes) != 0) return Descriptor(-1);
  return file;
}

// Processes that see others by other numbers find another file or none.
Descriptor opened(const Place& place) {
  if (place.descriptor < 0) return Descriptor(-1);
  Descriptor file(
      ::open(fmt::format("/proc/{}/fd/{}", place.process, place.descriptor).c_str(), O_RDWR | O_CLOEXEC));
  if (!(place_of(place.process, place.descriptor, file) == place)) return Descriptor(-1);
  return file;
}

std::shared_ptr<void> mapped(const Descriptor& file, std::int64_t bytes) {
  if (!file.is_open()) return nullptr;
  const auto size = static_cast<std::size_t>(bytes);
  void* const first = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0);
  if (first == MAP_FAILED) return nullptr;
  return {first, [size](void* memory) { ::munmap(memory, size); }};
}

}  // namespace

std::shared_ptr<void> memory_in_common(Communicator& communicator, std::int64_t bytes, std::string_view tag) {
  const bool is_first = communicator.rank() == 0;
  Descriptor mine = is_first ? new_file(bytes) : Descriptor(-1);
  Place place;
  if (is_first) place = place_of(::getpid(), mine.number(), mine);
  std::array<std::int64_t, 4> numbers{place.process, place.descriptor, place.device, place.inode};
  communicator.broadcast(buffer_of(std::span<std::int64_t>(numbers)), 0, tag)->wait();
  place = {numbers[0], numbers[1], numbers[2], numbers[3]};

  const Descriptor file = is_first ? std::move(mine) : opened(place);
  const std::shared_ptr<void> memory = mapped(file, bytes);
  // Until all have answered, rank 0's file must stay open.
  return maximum(communicator, memory ? 0 : 1, tag) == 0 ? memory : nullptr;
}

}  // namespace svi::comm
