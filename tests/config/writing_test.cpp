#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "svi/base/random.hpp"
#include "svi/config/document.hpp"

namespace svi::config {
namespace {

struct Values {
  bool is_on = false;
  std::int64_t count = 0;
  double rate = 0;
  double weight = 0;
  std::string name;
  std::string validation;
  double fraction = 0;
  std::vector<std::int64_t> widths;

  std::vector<Section> sections() {
    std::vector<Section> list{{"data", {}}, {"objective", {}}, {"nothing", {}}};
    list[0].options.text("name", name, "");
    list[0].options.text("validation", validation, "");
    list[0].options.real("validation.fraction", fraction, Range::any(), "", "share held out");
    list[0].options.integers("widths", widths, Range::any(), "", "");
    list[1].options.flag("kl.on", is_on, "");
    list[1].options.integer("count", count, Range::any(), "", "");
    list[1].options.real("rate", rate, Range::any(), "", "");
    list[1].options.real("kl.weight", weight, Range::any(), "", "");
    return list;
  }

  bool operator==(const Values&) const = default;
};

Values read_back(const std::string& yaml) {
  Values read;
  Document document = Document::parse(yaml, "c.yaml");
  for (const Section& section : read.sections()) document.fill(section.name, section.options);
  document.refuse_unknown();
  return read;
}

TEST(ToYaml, WritesWhatAPersonWould) {
  Values some{
      .is_on = true, .count = 3, .rate = 1e-3, .weight = 0.5, .name = "a", .fraction = 0.1, .widths = {4, 2}};
  EXPECT_EQ(to_yaml(some.sections()),
            "data:\n"
            "  name: \"a\"\n"
            "  validation: \"\"\n"
            "  validation.fraction: 0.1\n"
            "  widths: [4, 2]\n"
            "objective:\n"
            "  kl: {on: true, weight: 0.5}\n"
            "  count: 3\n"
            "  rate: 0.001\n");
}

TEST(ToYaml, EveryTextComesBack) {
  for (const char* text :
       {"",         " ",   "no",     "null", "~",  "1e3", "true", "it's", "say \"x\"", "back\\slash\\",
        "a: b # c", "[x]", "{x: y}", "*a",   "&a", "!t",  "%d",   "@x",   "- x",       "Süßes/π/🙂",
        "\\n",      "a\\", "#",      "|"}) {
    Values some{.name = text, .validation = text};
    EXPECT_EQ(read_back(to_yaml(some.sections())), some) << text;
  }
}

TEST(ToYaml, EveryNumberComesBackToTheBit) {
  using Limits = std::numeric_limits<double>;
  std::vector<double> numbers{0.1,
                              1.0 / 3,
                              1e-3,
                              1,
                              100,
                              1e21,
                              1e300,
                              Limits::max(),
                              Limits::min(),
                              Limits::epsilon(),
                              Limits::denorm_min(),
                              -2.5,
                              0.69999999999999996};
  const Philox philox(3);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const double mantissa = philox.uniform(Purpose::test_data, 0, 0, i) - 0.5;
    numbers.push_back(
        std::ldexp(mantissa, static_cast<int>(philox.below(2000, Purpose::test_data, 1, 0, i)) - 1000));
  }
  for (const double number : numbers) {
    Values some{.rate = number, .weight = number, .fraction = number};
    EXPECT_EQ(read_back(to_yaml(some.sections())), some) << number;
  }
  for (const std::int64_t count : {INT64_MIN, INT64_MAX, std::int64_t{0}, std::int64_t{-1}}) {
    Values some{.count = count, .widths = {count, 0, count}};
    EXPECT_EQ(read_back(to_yaml(some.sections())), some) << count;
  }
}

TEST(ValuesByKey, NameEveryOption) {
  Values some{.is_on = true, .count = -3, .rate = 0.25, .name = "x", .widths = {}};
  const std::map<std::string, std::string> expected{
      {"data.name", "\"x\""},     {"data.validation", "\"\""}, {"data.validation.fraction", "0"},
      {"data.widths", "[]"},      {"objective.kl.on", "true"}, {"objective.count", "-3"},
      {"objective.rate", "0.25"}, {"objective.kl.weight", "0"}};
  EXPECT_EQ(values(some.sections()), expected);
}

TEST(ToMarkdown, IsOneTableOfEveryOption) {
  std::string rule = "adam";
  double rate = 1e-3;
  Section section{"optimizer", {}};
  section.options.choice("type", rule, {"adam", "sgd"}, "which rule: x|y");
  section.options.real("learning_rate", rate, Range::above(0), "nats", "step size");
  EXPECT_EQ(to_markdown(section, "optimizer"),
            "## optimizer\n\n"
            "| key | type | unit | range | default | |\n"
            "| --- | --- | --- | --- | --- | --- |\n"
            "| `optimizer.type` | choice |  | `adam`, `sgd` | `\"adam\"` | which rule: x\\|y |\n"
            "| `optimizer.learning_rate` | real | nats | above 0 | `0.001` | step size |\n");
}

}  // namespace
}  // namespace svi::config
