#include "svi/cli/text.hpp"

#include <gtest/gtest.h>

namespace svi::cli {
namespace {

TEST(Text, IsAsWideAsItsCharacters) {
  EXPECT_EQ(width_of(""), 0U);
  EXPECT_EQ(width_of("é×ab"), 4U);
  EXPECT_EQ(width_of("━─"), 2U);
}

TEST(Text, ControlCharactersAreWrittenOut) {
  EXPECT_EQ(printable("plain é × 語 😀"), "plain é × 語 😀");
  EXPECT_EQ(printable("a\x1b[31mred\x07"), "a\\x1B[31mred\\x07");
  EXPECT_EQ(printable("a\tb\nc\x7f"), "a\\tb\\nc\\x7F");
  EXPECT_EQ(printable("a\tb\nc", "\n"), "a\\tb\nc");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m \xC2\xA0"),
            "\\xC2\\x9B31m \xC2\xA0");  // U+009B begins commands too
  EXPECT_EQ(printable("\x9B"
                      "31m"),
            "\\x9B"
            "31m");                       // as it does in 8 bits
  EXPECT_EQ(printable("\xC3"), "\\xC3");  // cut off
  EXPECT_EQ(printable("\xE2\x28\xA1"), "\\xE2(\\xA1");
  EXPECT_EQ(printable("\xE0\x80\xAF"), "\\xE0\\x80\\xAF");  // longer than need be
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xED\\xA0\\x80");  // half of a UTF-16 pair
}

TEST(Text, TheLeastImportantFieldsAreLeftOutWhole) {
  const std::vector<Field> fields{{"bar━━", 1}, {"42 %", 9}, {"epoch 1", 3}, {"elbo -2", 5}};
  EXPECT_EQ(fitted(fields, 29), "bar━━  42 %  epoch 1  elbo -2");
  EXPECT_EQ(fitted(fields, 28), "42 %  epoch 1  elbo -2");
  EXPECT_EQ(fitted(fields, 21), "42 %  elbo -2");
  EXPECT_EQ(fitted(fields, 12), "42 %");
  EXPECT_EQ(fitted(fields, 1), "42 %");
  EXPECT_EQ(fitted({}, 10), "");
}

TEST(Text, LinesBreakBetweenFields) {
  const std::vector<std::string> fields{"validation", "elbo -2", "kl 3", "×é"};
  EXPECT_EQ(wrapped(fields, 29), "validation  elbo -2  kl 3  ×é");
  EXPECT_EQ(wrapped(fields, 28), "validation  elbo -2  kl 3\n  ×é");
  EXPECT_EQ(wrapped(fields, 19), "validation  elbo -2\n  kl 3  ×é");
  EXPECT_EQ(wrapped(fields, 9), "validation\n  elbo -2\n  kl 3\n  ×é");
  EXPECT_EQ(wrapped_words("one two  three", 8), "one two\n  three");
  EXPECT_EQ(wrapped_words("one two  three", 13), "one two three");
}

}  // namespace
}  // namespace svi::cli
