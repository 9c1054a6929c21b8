#include "svi/base/units.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "svi/base/error.hpp"
#include "svi/base/stopwatch.hpp"

namespace svi::test {

TEST(Units, BytesInBinaryMultiples) {
  EXPECT_EQ(bytes_text(0), "0 bytes");
  EXPECT_EQ(bytes_text(512), "512 bytes");
  EXPECT_EQ(bytes_text(1024), "1.00 KiB");
  EXPECT_EQ(bytes_text(1.5 * 1024 * 1024), "1.50 MiB");
  EXPECT_EQ(bytes_text(3.0 * (std::int64_t{1} << 40)), "3.00 TiB");
  EXPECT_EQ(bytes_text(2048.0 * (std::int64_t{1} << 50)), "2048.00 PiB");
}

TEST(Units, BytesOutOfTexts) {
  EXPECT_EQ(bytes_of_text("0"), 0);
  EXPECT_EQ(bytes_of_text("4096"), 4096);
  EXPECT_EQ(bytes_of_text("512 bytes"), 512);
  EXPECT_EQ(bytes_of_text("1 GiB"), std::int64_t{1} << 30);
  EXPECT_EQ(bytes_of_text("1.5MiB"), 3 << 19);
  EXPECT_EQ(bytes_of_text("2 kB"), 2000);
  EXPECT_EQ(bytes_of_text("0.5 GB"), 500'000'000);
  for (const char* text :
       {"", " 1 GiB", "-1", "1 gib", "1  GiB", "1 GiB ", "GiB", "nan", "inf", "1e30", "1,5 GB"}) {
    EXPECT_EQ(bytes_of_text(text), std::nullopt) << text;
  }
}

TEST(Units, CountsInGroupsOfThree) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(1234567), "1,234,567");
  EXPECT_EQ(count_text(-123), "-123");
  EXPECT_EQ(count_text(-123456), "-123,456");
  EXPECT_EQ(count_text(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(Units, DurationsAsPeopleSayThem) {
  EXPECT_EQ(duration_text(0.417), "0.42 s");
  EXPECT_EQ(duration_text(12.34), "12.3 s");
  EXPECT_EQ(duration_text(60), "1 min 00 s");
  EXPECT_EQ(duration_text(245), "4 min 05 s");
  EXPECT_EQ(duration_text(3599.6), "1 h 00 min");
  EXPECT_EQ(duration_text(2 * 3600 + 3 * 60 + 59), "2 h 03 min");
  EXPECT_EQ(duration_text(30 * 3600), "30 h 00 min");
}

TEST(Error, CarriesMessageAndExitCode) {
  const Error error(ExitCode::bad_data, "row {} of {}", 7, "train.h5");
  EXPECT_STREQ(error.what(), "row 7 of train.h5");
  EXPECT_EQ(error.code(), ExitCode::bad_data);
}

// The documented numbers: scripts and job managers depend on them.
TEST(Error, ExitCodesAreThoseOfSysexits) {
  EXPECT_EQ(static_cast<int>(ExitCode::done), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::usage), 64);
  EXPECT_EQ(static_cast<int>(ExitCode::bad_data), 65);
  EXPECT_EQ(static_cast<int>(ExitCode::missing_input), 66);
  EXPECT_EQ(static_cast<int>(ExitCode::internal), 70);
  EXPECT_EQ(static_cast<int>(ExitCode::communication), 71);
  EXPECT_EQ(static_cast<int>(ExitCode::cannot_write), 73);
  EXPECT_EQ(static_cast<int>(ExitCode::stopped), 75);
  EXPECT_EQ(static_cast<int>(ExitCode::bad_config), 78);
}

TEST(Stopwatch, NeverRunsBackwards) {
  const Stopwatch watch;
  double last = 0;
  for (int i = 0; i < 1000; ++i) {
    const double now = watch.seconds();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace svi::test
