#include "svi/base/options.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

namespace svi::test {

namespace {

struct Everything {
  bool flag = true;
  std::int64_t integer = 64;
  double real = 1e-3;
  std::string text = "a \"b\" \\c";
  std::string choice = "adam";
  std::vector<std::int64_t> integers{400, 200};
  std::vector<double> reals{1, 0.25};

  void describe(OptionSet& options) {
    options.flag("flag", flag, "a flag");
    options.integer("integer", integer, Range::at_least(1), "rows", "an integer");
    options.real("kl.weight", real, Range::above(0), "nats", "a real");
    options.text("text", text, "a text");
    options.choice("choice", choice, {"adam", "sgd"}, "a choice");
    options.integers("integers", integers, Range::between(1, 1000), "units", "some integers");
    options.reals("reals", reals, Range::at_least(0), "", "some reals");
  }
};

}  // namespace

TEST(Range, ContainsItsClosedEndsOnly) {
  EXPECT_TRUE(Range::at_least(1).contains(1));
  EXPECT_FALSE(Range::at_least(1).contains(0.999));
  EXPECT_FALSE(Range::above(0).contains(0));
  EXPECT_TRUE(Range::above(0).contains(1e-300));
  EXPECT_TRUE(Range::between(0, 1).contains(0));
  EXPECT_TRUE(Range::between(0, 1).contains(1));
  EXPECT_FALSE(Range::between(0, 1).contains(1.001));
  const Range open{.lowest = 0.5, .highest = 1, .lowest_is_open = true, .highest_is_open = true};
  EXPECT_FALSE(open.contains(0.5));
  EXPECT_FALSE(open.contains(1));
  EXPECT_TRUE(Range::any().contains(-1e300));
}

TEST(Range, NeverContainsWhatIsNoNumber) {
  const double no_number = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(Range::any().contains(no_number));
  EXPECT_FALSE(Range::above(0).contains(no_number));
}

TEST(Range, SaysInWordsWhatItAccepts) {
  EXPECT_EQ(Range::any().text(), "any");
  EXPECT_EQ(Range::at_least(1).text(), "at least 1");
  EXPECT_EQ(Range::above(0).text(), "above 0");
  EXPECT_EQ(Range::between(0, 1).text(), "0 to 1");
  EXPECT_EQ((Range{.highest = 1, .highest_is_open = true}.text()), "below 1");
  EXPECT_EQ((Range{.lowest = 0.5, .highest = 1, .lowest_is_open = true}.text()), "above 0.5 and at most 1");
}

TEST(OptionSet, DescribesEachOptionInOrder) {
  Everything everything;
  OptionSet options;
  everything.describe(options);
  const char* const expected[][3] = {
      {"flag", "true or false", "true"},       {"integer", "integer", "64"},
      {"kl.weight", "real", "0.001"},          {"text", "text", R"("a \"b\" \\c")"},
      {"choice", "choice", "\"adam\""},        {"integers", "list of integers", "[400, 200]"},
      {"reals", "list of reals", "[1, 0.25]"},
  };
  ASSERT_EQ(options.all().size(), std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(options.all()[i].name, expected[i][0]);
    EXPECT_EQ(options.all()[i].kind(), expected[i][1]);
    EXPECT_EQ(options.all()[i].value_text(), expected[i][2]);
  }
  EXPECT_EQ(options.all()[1].unit, "rows");
  EXPECT_EQ(options.all()[1].help, "an integer");
  EXPECT_EQ(options.all()[4].choices, (std::vector<std::string>{"adam", "sgd"}));
}

TEST(OptionSet, PointsAtTheVariables) {
  Everything everything;
  OptionSet options;
  everything.describe(options);
  *std::get<double*>(options.all()[2].target) = 0.25;
  EXPECT_EQ(everything.real, 0.25);
  everything.integers.clear();
  EXPECT_EQ(options.all()[5].value_text(), "[]");
}

// What is written must come back as the same value: doubles keep all their digits.
TEST(OptionSet, ValuesAreWrittenWithoutLoss) {
  for (const double value : {0.1, 1.0 / 3, 1e-3, 6.02e23, 5e-324, -2.5, 0.30000000000000004}) {
    double target = value;
    OptionSet options;
    options.real("x", target, Range::any(), "", "");
    EXPECT_EQ(std::strtod(options.all()[0].value_text().c_str(), nullptr), value);
  }
}

}  // namespace svi::test
