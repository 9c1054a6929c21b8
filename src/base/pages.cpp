#include "svi/base/pages.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>

namespace svi {

namespace {

constexpr std::size_t huge_page = std::size_t{1} << 21;
constexpr std::align_val_t cache_line{64};

bool takes_pages(std::size_t bytes) { return bytes >= huge_page / 2; }

// Caches choose a line's place by the lower bits of its address, so that arrays which all began with a page and are
// read together would push each other out: each begins a little further on than the one before.
constexpr std::size_t stagger = 9 * 64;
constexpr std::size_t most_staggered = 32 * stagger;

std::size_t next_start() {
  static std::atomic<std::size_t> arrays{0};
  return arrays++ % 32 * stagger;
}

std::size_t whole_pages(std::size_t bytes) {
  return (bytes + most_staggered + huge_page - 1) / huge_page * huge_page;
}

// A mapping may begin at any small page: a larger one is cut to size.
std::byte* mapped(std::size_t bytes) {
  void* const whole =
      ::mmap(nullptr, bytes + huge_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (whole == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(whole);
  const std::size_t before = (huge_page - reinterpret_cast<std::uintptr_t>(begin) % huge_page) % huge_page;
  if (before > 0) ::munmap(begin, before);
  ::munmap(begin + before + bytes, huge_page - before);
  ::madvise(begin + before, bytes, MADV_HUGEPAGE);  // refused where there are none: then they are small ones
  return begin + before;
}

}  // namespace

void FreePages::operator()(void* first) const noexcept {
  if (takes_pages(bytes)) {
    const auto address = reinterpret_cast<std::uintptr_t>(first);
    ::munmap(reinterpret_cast<void*>(address / huge_page * huge_page), whole_pages(bytes));
  } else {
    ::operator delete(first, cache_line);
  }
}

Pages zeroed_pages(std::size_t bytes) {
  if (takes_pages(bytes)) return {mapped(whole_pages(bytes)) + next_start(), FreePages{bytes}};
  void* const first = ::operator new(bytes, cache_line);
  std::memset(first, 0, bytes);
  return {first, FreePages{bytes}};
}

}  // namespace svi
