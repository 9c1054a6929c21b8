#include "svi/base/pages.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <new>
#include <numeric>
#include <string>
#include <vector>

#include "svi/base/aligned_buffer.hpp"

namespace svi::test {

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

std::uintptr_t address_of(const Pages& pages) { return reinterpret_cast<std::uintptr_t>(pages.get()); }

bool is_zero(const Pages& pages, std::size_t bytes) {
  const auto* first = static_cast<const unsigned char*>(pages.get());
  return std::accumulate(first, first + bytes, 0U) == 0;
}

// Of this process, by the kernel's own account.
std::size_t bytes_in(const std::string& file, const std::string& entry) {
  std::ifstream lines(file);
  std::size_t kib = 0;
  for (std::string word; lines >> word;) {
    if (word == entry) lines >> kib;
  }
  return kib * 1024;
}

std::size_t resident_bytes() { return bytes_in("/proc/self/status", "VmRSS:"); }
std::size_t mapped_bytes() { return bytes_in("/proc/self/status", "VmSize:"); }

}  // namespace

TEST(Pages, AreZeroOnALineOfTheCacheAndWritableToTheLastByte) {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{100}, mib - 1, mib, mib + 1, 2 * mib, 5 * mib - 4}) {
    for (int again = 0; again < 3; ++again) {  // memory that was given back is zero, too
      const Pages pages = zeroed_pages(bytes);
      EXPECT_EQ(address_of(pages) % 64, 0) << bytes;
      EXPECT_TRUE(is_zero(pages, bytes)) << bytes;
      std::memset(pages.get(), 255, bytes);
    }
  }
}

TEST(Pages, OfNothingAreNothing) {
  const Pages pages = zeroed_pages(0);
  EXPECT_NE(pages.get(), nullptr);
}

// Arrays that are read side by side must not share the places of the first-level cache: 4 KiB apart, they
// would.
TEST(Pages, ThatFollowOneAnotherBeginElsewhereInTheCache) {
  std::vector<Pages> some;
  for (int i = 0; i < 6; ++i) some.push_back(zeroed_pages(3 * mib));
  for (std::size_t i = 0; i < some.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(address_of(some[i]) % 4096, address_of(some[j]) % 4096);
  }
}

TEST(Pages, TakeMemoryWhereTouchedAndGiveAllOfItBack) {
  constexpr std::size_t size = 1024 * mib;
  const std::size_t mapped = mapped_bytes();
  const std::size_t resident = resident_bytes();
  {
    const Pages pages = zeroed_pages(size);
    static_cast<char*>(pages.get())[size / 2] = 1;
    EXPECT_GE(mapped_bytes(), mapped + size);
    EXPECT_LT(resident_bytes(), resident + 16 * mib);
  }
  EXPECT_LT(mapped_bytes(), mapped + 16 * mib);
}

TEST(Pages, RefuseWhatNoMachineHas) { EXPECT_THROW(zeroed_pages(std::size_t{1} << 62), std::bad_alloc); }

TEST(AlignedBuffer, GrowsAndIsZeroWhereItGrew) {
  AlignedBuffer<float> buffer;
  buffer.resize(3);
  buffer.data()[2] = 1;
  buffer.resize(2);
  EXPECT_EQ(buffer.data()[2], 1);  // it does not shrink
  buffer.resize(mib);
  EXPECT_EQ(std::accumulate(buffer.data(), buffer.data() + mib, 0.0F), 0);
  const float* const first = buffer.data();
  buffer.resize(mib + mib / 4);
  EXPECT_EQ(buffer.data(), first) << "no room to spare";
  EXPECT_EQ(std::accumulate(buffer.data() + mib, buffer.data() + mib + mib / 4, 0.0F), 0);
}

}  // namespace svi::test
