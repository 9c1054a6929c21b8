#include "svi/config/document.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "expect.hpp"

namespace svi::config {
namespace {

using Integers = std::vector<std::int64_t>;

struct DataOptions {
  std::string train;
  std::string validation;
  double fraction = 0;

  OptionSet described() {
    OptionSet options;
    options.text("train", train, "");
    options.text("validation", validation, "");
    options.real("validation.fraction", fraction, {.lowest = 0, .highest = 1, .highest_is_open = true}, "",
                 "");
    return options;
  }
};

struct Everything {
  bool is_on = false;
  std::int64_t batch = 128;
  double rate = 0.5;
  std::string name = "default";
  std::string rule = "adam";
  Integers widths{400};
  std::vector<double> factors;

  OptionSet described() {
    OptionSet options;
    options.flag("on", is_on, "");
    options.integer("batch", batch, Range::at_least(1), "rows", "");
    options.real("rate", rate, Range::above(0), "", "");
    options.text("name", name, "");
    options.choice("rule", rule, {"adam", "sgd", "robbins_monro"}, "");
    options.integers("widths", widths, Range::between(1, 65536), "units", "");
    options.reals("factors", factors, Range::at_least(0), "", "");
    return options;
  }
};

// Fills the section "s" from `yaml` indented below it.
Everything filled(const std::string& line) {
  Everything options;
  Document document = Document::parse("s:\n  " + line + "\n", "c.yaml");
  document.fill("s", options.described());
  document.refuse_unknown();
  return options;
}

void expect_refused(const std::string& line, const std::vector<std::string>& pieces) {
  SCOPED_TRACE(line);
  expect_error(ExitCode::bad_config, pieces, [&] { filled(line); });
}

TEST(Document, FillsEveryTypeAndLeavesAbsentKeysAlone) {
  Everything options;
  Document document = Document::parse(
      "s:\n  on: true\n  batch: 64\n  rate: 1.0e-3\n  name: a b\n  rule: sgd\n  widths: [400, 200]\n",
      "c.yaml");
  document.fill("s", options.described());
  EXPECT_TRUE(options.is_on);
  EXPECT_EQ(options.batch, 64);
  EXPECT_EQ(options.rate, 1e-3);
  EXPECT_EQ(options.name, "a b");
  EXPECT_EQ(options.rule, "sgd");
  EXPECT_EQ(options.widths, (Integers{400, 200}));
  const Everything untouched = filled("on: false");
  EXPECT_EQ(untouched.batch, 128);
  EXPECT_EQ(untouched.widths, (Integers{400}));
}

NumberOrWord number_or_word(const std::string& line, bool takes_list) {
  NumberOrWord value{.number = 0.5};
  OptionSet options;
  if (takes_list) {
    options.reals_or_choice("alpha", value, Range::above(0), {"learned", "symmetric"}, "");
  } else {
    options.real_or_choice("alpha", value, Range::above(0), {"learned", "symmetric"}, "");
  }
  Document document = Document::parse("s:\n  " + line + "\n", "c.yaml");
  document.fill("s", options);
  EXPECT_EQ(options.all().front().kind(), takes_list ? "real, list or choice" : "real or choice");
  // What is written comes back.
  const std::string text = options.all().front().value_text();
  EXPECT_EQ(text, line == "alpha: learned" ? "\"learned\"" : line.substr(7));
  return value;
}

TEST(Document, ReadsNumbersWordsAndLists) {
  EXPECT_EQ(number_or_word("alpha: 0.25", true).number, 0.25);
  EXPECT_EQ(number_or_word("alpha: learned", true).word, "learned");
  EXPECT_EQ(number_or_word("alpha: learned", true).number, 0.5);
  EXPECT_TRUE(number_or_word("alpha: 0.25", true).list.empty());
  EXPECT_EQ(number_or_word("alpha: [0.25]", true).list, (std::vector<double>{0.25}));
  EXPECT_EQ(number_or_word("alpha: [0.1, 2, 1e-05]", true).list, (std::vector<double>{0.1, 2, 1e-5}));
  const auto refuse = [](const std::string& line, bool takes_list, const std::vector<std::string>& pieces) {
    SCOPED_TRACE(line);
    expect_error(ExitCode::bad_config, pieces, [&] { number_or_word(line, takes_list); });
  };
  refuse("alpha: [0.1, 0.2]", false,
         {"c.yaml:2", "s.alpha is [0.1, 0.2]", "learned, symmetric; or a real number"});
  refuse("alpha: []", true, {"c.yaml:2", "s.alpha is []", "or a list of them"});
  refuse("alpha: [0.1, learned]", true, {"[0.1, learned]"});
  refuse("alpha: [0.1, -2]", true, {"[0.1, -2]", "above 0"});
  refuse("alpha: [0.1, '2']", true, {"without quotes"});
  refuse("alpha: learnt", true,
         {"s.alpha is learnt", "learned, symmetric; or a real number or a list of them"});
}

TEST(Document, ReadsIntegers) {
  EXPECT_EQ(filled("batch: 1000").batch, 1000);
  EXPECT_EQ(filled("batch: +5").batch, 5);
  EXPECT_EQ(filled("batch: 9223372036854775807").batch, INT64_MAX);
  for (const char* text : {"1e3", "1.0", "0x10", "0o10", "1_000", "12a", "abc", "true", "'5'", "\"5\"", "[5]",
                           ".inf", "+-5", "--5", "+", "010", "5 5"}) {
    expect_refused(std::string("batch: ") + text,
                   {"c.yaml:2: s.batch is ", "expected an integer, at least 1 (rows)"});
  }
  expect_refused("batch: 9223372036854775808", {"9223372036854775808", "64 bits"});
  expect_refused("batch: -9223372036854775809", {"64 bits"});
  expect_refused("batch: \"5\"", {"\"5\" in quotes", "without quotes"});
  expect_refused("batch: 010", {"leading zeros"});
}

TEST(Document, ReadsReals) {
  EXPECT_EQ(filled("rate: 1e-3").rate, 1e-3);
  EXPECT_EQ(filled("rate: .5").rate, .5);
  EXPECT_EQ(filled("rate: 1").rate, 1.0);
  EXPECT_EQ(filled("rate: 5.").rate, 5.0);
  EXPECT_EQ(filled("rate: +2.5E+2").rate, 250.0);
  for (const char* text : {"nan", ".nan", "inf", ".inf", "-inf", "-.inf", "infinity", "1e", "e5", ".", "1,5",
                           "0x1p3", "'0.1'", "1e999", "1e-999", "[0.1]", "1.0.0", "true"}) {
    expect_refused(std::string("rate: ") + text, {"c.yaml:2: s.rate is ", "expected a real number, above 0"});
  }
}

TEST(Document, ReadsFlags) {
  EXPECT_TRUE(filled("on: true").is_on);
  for (const char* text : {"yes", "no", "on", "True", "TRUE", "1", "'true'", "[true]"}) {
    expect_refused(std::string("on: ") + text, {"c.yaml:2: s.on is ", "expected true or false"});
  }
}

TEST(Document, ReadsTexts) {
  EXPECT_EQ(filled("name: 123").name, "123");
  EXPECT_EQ(filled("name: \"\"").name, "");
  EXPECT_EQ(filled("name: 'it''s: #1'").name, "it's: #1");
  EXPECT_EQ(filled("name: Süßes/π.h5").name, "Süßes/π.h5");
  EXPECT_EQ(filled("name: \"null\"").name, "null");
  expect_refused("name: [a, b]", {"s.name is [a, b]", "expected a text"});
}

TEST(Document, ReadsChoices) {
  EXPECT_EQ(filled("rule: robbins_monro").rule, "robbins_monro");
  expect_refused("rule: adma", {"s.rule is adma", "one of: adam, sgd, robbins_monro", "did you mean adam?"});
  expect_refused("rule: Adagrad", {"one of: adam"});
}

TEST(Document, ReadsLists) {
  EXPECT_EQ(filled("widths: []").widths, Integers{});
  EXPECT_EQ(filled("widths:\n    - 3\n    - 4").widths, (Integers{3, 4}));
  expect_refused("widths: 400", {"s.widths is 400", "a list of integers such as [400, 200]"});
  expect_refused("widths: [400, 0]", {"s.widths is [400, 0]", "each 1 to 65536 (units)"});
  expect_refused("widths: [400, 2x]", {"[400, 2x]"});
  expect_refused("widths: [400, '2']", {"without quotes"});
  EXPECT_EQ(filled("factors: [1, 0.72, 1e-3]").factors, (std::vector<double>{1, 0.72, 1e-3}));
  EXPECT_EQ(filled("factors: []").factors, std::vector<double>());
  expect_refused("factors: 0.5", {"s.factors is 0.5", "a list of real numbers such as [1, 0.5]"});
  expect_refused("factors: [1, -1]", {"s.factors is [1, -1]", "each at least 0"});
  expect_refused("factors: [1, x]", {"[1, x]"});
}

TEST(Document, NamesTheRangeThatAValueLeaves) {
  expect_refused("batch: 0", {"c.yaml:2: s.batch is 0; expected an integer, at least 1 (rows)"});
  expect_refused("rate: 0", {"s.rate is 0", "above 0"});
  expect_refused("rate: -1", {"s.rate is -1", "above 0"});
}

TEST(Document, AKeyMayHaveAValueAndKeysBelow) {
  DataOptions file;
  Document with_file = Document::parse("data:\n  validation: file.h5\n", "c.yaml");
  with_file.fill("data", file.described());
  with_file.refuse_unknown();
  EXPECT_EQ(file.validation, "file.h5");
  EXPECT_EQ(file.fraction, 0);

  for (const char* text :
       {"data:\n  validation: {fraction: 0.05}\n", "data:\n  validation:\n    fraction: 0.05\n",
        "data:\n  validation.fraction: 0.05\n", "data.validation.fraction: 0.05\n"}) {
    DataOptions share;
    Document with_share = Document::parse(text, "c.yaml");
    with_share.fill("data", share.described());
    with_share.refuse_unknown();
    EXPECT_EQ(share.validation, "") << text;
    EXPECT_EQ(share.fraction, 0.05) << text;
  }
}

TEST(Document, FindsTexts) {
  const Document document = Document::parse("model: {type: vae, sizes: [1]}\n", "c.yaml");
  EXPECT_EQ(document.find("model.type"), "vae");
  EXPECT_EQ(document.find("model.none"), std::nullopt);
  expect_error(ExitCode::bad_config, {"c.yaml:1", "model.sizes", "expected a text"},
               [&] { document.find("model.sizes"); });
}

TEST(Set, ReplacesAValueAndAllBelowIt) {
  DataOptions data;
  Document document = Document::parse("data:\n  train: a.h5\n  validation: {fraction: 0.05}\n", "c.yaml");
  document.set("data.train=b=c.h5");
  document.set("data.validation=held-out.h5");
  document.fill("data", data.described());
  document.refuse_unknown();
  EXPECT_EQ(data.train, "b=c.h5");
  EXPECT_EQ(data.validation, "held-out.h5");
  EXPECT_EQ(data.fraction, 0);
}

TEST(Set, TakesYamlValues) {
  Everything options;
  Document document = Document::parse("s: {batch: 1}\n", "c.yaml");
  document.set("s.widths=[400, 200]");
  document.set("s.name=''");
  document.set("s={rate: 2, on: true}");  // replaces the whole section
  document.set("s.batch= 7 ");
  document.set("s.batch=8");
  document.fill("s", options.described());
  document.refuse_unknown();
  EXPECT_EQ(options.widths, (Integers{400}));
  EXPECT_EQ(options.name, "default");
  EXPECT_EQ(options.rate, 2);
  EXPECT_TRUE(options.is_on);
  EXPECT_EQ(options.batch, 8);
}

TEST(Set, RefusesWithTheWholeAssignmentInTheMessage) {
  const auto set = [](const std::string& assignment) {
    Everything options;
    Document document = Document::parse("s: {batch: 1}\n", "c.yaml");
    document.set(assignment);
    document.fill("s", options.described());
    document.refuse_unknown();
  };
  expect_error(ExitCode::usage, {"--set s.batch:", "key=value"}, [&] { set("s.batch"); });
  expect_error(ExitCode::usage, {"--set =5:"}, [&] { set("=5"); });
  expect_error(ExitCode::bad_config, {"--set s.batch=0: s.batch is 0", "at least 1"},
               [&] { set("s.batch=0"); });
  expect_error(ExitCode::bad_config, {"--set s.batch=: s.batch has no value"}, [&] { set("s.batch="); });
  expect_error(ExitCode::bad_config, {"--set s.bacth=3", "did you mean s.batch?"}, [&] { set("s.bacth=3"); });
  expect_error(ExitCode::bad_config, {"--set s.widths=[1", "bracket not closed"},
               [&] { set("s.widths=[1"); });
  expect_error(ExitCode::bad_config, {"--set s.name=*a"}, [&] { set("s.name=*a"); });
  expect_error(ExitCode::bad_config, {"--set s.name=\xFF", "not UTF-8"}, [&] { set("s.name=\xFF"); });
}

TEST(UnknownKey, ListsAllWithTheNearestKnownOne) {
  Everything options;
  Document document = Document::parse(
      "s:\n  bacth: 3\n  optimiser: adam\nrate: 1\nt:\n  widths: [3]\nu: {zzzzzz: 1}\n", "c.yaml");
  document.fill("s", options.described());
  expect_error(ExitCode::bad_config,
               {"c.yaml:2: unknown key s.bacth; did you mean s.batch?",
                "c.yaml:3: unknown key s.optimiser; s has: batch, factors, name, on, rate, rule, widths",
                "c.yaml:4: unknown key rate; did you mean s.rate?",
                "c.yaml:6: unknown key t.widths; did you mean s.widths?",
                "c.yaml:7: unknown key u.zzzzzz; the sections are: s"},
               [&] { document.refuse_unknown(); });
}

std::string advice_for(const std::string& yaml) {
  std::int64_t number = 1;
  std::string text;
  double fraction = 0;
  OptionSet train;
  train.integer("batch", number, Range::any(), "", "");
  train.integer("epochs", number, Range::any(), "", "");
  OptionSet data;
  data.text("validation", text, "");
  data.real("validation.fraction", fraction, Range::any(), "", "");
  OptionSet optimizer;
  optimizer.text("type", text, "");
  optimizer.real("learning_rate", fraction, Range::any(), "", "");
  OptionSet model;
  model.text("type", text, "");
  Document document = Document::parse(yaml, "c.yaml");
  document.fill("train", train);
  document.fill("data", data);
  document.fill("optimizer", optimizer);
  document.fill("model", model);
  return expect_error(ExitCode::bad_config, {}, [&] { document.refuse_unknown(); });
}

TEST(UnknownKey, IsSuggestedUnderItsSection) {
  const auto says = [](const char* yaml, const char* advice) {
    EXPECT_NE(advice_for(yaml).find(advice), std::string::npos) << advice_for(yaml);
  };
  says("optimizer: {batch: 3}", "did you mean train.batch?");
  says("trian: {batch: 3}", "did you mean train.batch?");
  says("optimiser: {type: adam}", "did you mean optimizer.type?");
  says("train: {learnig_rate: 3}", "did you mean optimizer.learning_rate?");
  says("data: {fraction: 0.1}", "did you mean data.validation.fraction?");
  says("data: {valdation: {fraction: 0.1}}", "did you mean data.validation.fraction?");
  says("data: {valdation: a.h5}", "did you mean data.validation?");
  says("train: 5", "it is a section; its keys are: batch, epochs");
  says("train: {batch: {size: 5}}", "train.batch takes a value and no keys below it");
  says("optimiser: {decay_of_weights: 0}", "did you mean the section optimizer?");
  says("colour: {background: 0}", "the sections are: data, model, optimizer, train");
}

TEST(UnknownKey, OfAnyLengthIsAnsweredBriefly) {
  Everything options;
  Document document = Document::parse("s:\n  ? " + std::string(500'000, 'a') + "\n  : 1\n", "c.yaml");
  document.fill("s", options.described());
  const std::string message = expect_error(ExitCode::bad_config, {"c.yaml:3: unknown key s.aaaa", "…"},
                                           [&] { document.refuse_unknown(); });
  EXPECT_LT(message.size(), 300U);
}

// The definition by recursion, without tables.
std::size_t slow_distance(const std::string& from, const std::string& to) {
  if (from.empty() || to.empty()) return from.size() + to.size();
  const std::string shorter_from = from.substr(1);
  const std::string shorter_to = to.substr(1);
  const std::size_t change = slow_distance(shorter_from, shorter_to) + (from[0] == to[0] ? 0 : 1);
  std::size_t best =
      std::min({slow_distance(shorter_from, to) + 1, slow_distance(from, shorter_to) + 1, change});
  if (from.size() > 1 && to.size() > 1 && from[0] == to[1] && from[1] == to[0]) {
    best = std::min(best, slow_distance(from.substr(2), to.substr(2)) + 1);
  }
  return best;
}

TEST(Nearest, DistanceEqualsItsDefinition) {
  const std::vector<std::string> words{"",     "a",     "ab",    "ba",    "abc",  "acb",
                                       "cabb", "bcaab", "aabbc", "train", "trian"};
  for (const std::string& from : words) {
    for (const std::string& to : words) {
      if (from.size() + to.size() > 10) continue;
      EXPECT_EQ(edit_distance(from, to), slow_distance(from, to)) << from << ' ' << to;
    }
  }
  EXPECT_EQ(edit_distance("trian", "train"), 1U);
}

TEST(Nearest, FindsSlipsAndNothingElse) {
  const std::set<std::string> names{"adam", "robbins_monro", "sgd"};
  EXPECT_EQ(nearest("robins_monroe", names), "robbins_monro");
  EXPECT_EQ(nearest("sdg", names), "sgd");
  EXPECT_EQ(nearest("lbfgs", names), std::nullopt);
  EXPECT_EQ(nearest("", names), std::nullopt);
  EXPECT_EQ(nearest("adam", {}), std::nullopt);
}

}  // namespace
}  // namespace svi::config
