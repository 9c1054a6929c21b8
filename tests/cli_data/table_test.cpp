#include "svi/cli/table.hpp"

#include <gtest/gtest.h>

#include "svi/base/error.hpp"

namespace svi::cli {
namespace {

TEST(Table, AlignsColumnsUnderAHeader) {
  EXPECT_EQ(
      table_text({{"name"}, {"count", Align::right}, {"note"}}, {{"a", "1", ""}, {"longer", "12,345", "x"}}),
      "name     count  note\n"
      "------  ------  ----\n"
      "a            1\n"
      "longer  12,345  x\n");
}

TEST(Table, HasNoHeaderWithoutTitles) {
  EXPECT_EQ(table_text({{}, {}}, {{"a", "b"}, {"ccc", "d"}}), "a    b\nccc  d\n");
}

TEST(Table, CountsCharactersRatherThanBytes) {
  EXPECT_EQ(table_text({{}, {}}, {{"é×", "b"}, {"abc", "d"}}), "é×   b\nabc  d\n");
}

TEST(Table, ShowsControlCharactersRatherThanObeyThem) {
  EXPECT_EQ(table_text({{}, {}}, {{"a\x1b[2J", "b"}, {"abc", "d\n"}}), "a\\x1B[2J  b\nabc       d\\n\n");
}

TEST(Table, RefusesARowOfAnotherLength) { EXPECT_THROW(table_text({{}, {}}, {{"a"}}), Error); }

}  // namespace
}  // namespace svi::cli
