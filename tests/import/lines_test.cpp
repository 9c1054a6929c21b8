#include <gtest/gtest.h>

#include "import/counts.hpp"

namespace svi::data {
namespace {

using test::contents_of_counts;
using test::expect_refusals;
using test::ScratchFolder;
using Names = std::vector<std::string>;

constexpr const char* vocabulary = "apple\nbirch\ncedar\n";

TEST(ImportLdaC, RefusesEachCorruptionNamingFileAndLine) {
  expect_refusals("a.ldac",
                  {
                      {"1 0:1\n2 0:1\n", {"a.ldac, line 2", "announces 2", "1 follow"}},
                      {"1 0:1\n1 3:1\n", {"line 2", "\"3\"", "from 0 to 2"}},
                      {"1 -1:1\n", {"line 1", "\"-1\"", "the word"}},
                      {"1 0:0\n", {"line 1", "\"0\"", "the count"}},
                      {"1 0:2.5\n", {"line 1", "\"2.5\"", "the count"}},
                      {"1 0-1\n", {"line 1", "\"0-1\"", "word:count"}},
                      {"1 0:1\n\n1 0:1\n", {"line 2", "empty"}},
                      {"2 1:1 1:2\n", {"line 1", "word 1 twice"}},
                      {"x 1:1\n", {"line 1", "\"x\"", "number of pairs"}},
                      {"0\n0\n", {"a.ldac", "no words"}},
                      {"", {"a.ldac", "no words"}},
                  },
                  import_lda_c, vocabulary);
}

TEST(ImportSvmlight, RefusesEachCorruptionNamingFileAndLine) {
  expect_refusals(
      "a.svm",
      {
          {"1 1:1\n1 4:1\n", {"a.svm, line 2", "\"4\"", "from 1 to 3"}},
          {"1 0:1\n", {"line 1", "\"0:1\"", "--zero-based"}},
          {"1 1:-1\n", {"line 1", "\"-1\"", "the count"}},
          {"1 1:0.5\n", {"line 1", "\"0.5\"", "the count", "whole"}},
          {"1 1:inf\n", {"line 1", "\"inf\"", "the count"}},
          {"1 1 2:1\n", {"line 1", "\"1\"", "word:count"}},
          {"1 x:1\n", {"line 1", "\"x\"", "the word"}},
          {"1:1 2:1\n", {"line 1", "\"1:1\"", "the label"}},
          {"spam 2:1\n", {"line 1", "\"spam\"", "the label"}},
          {"1 2:1 qid:3\n", {"line 1", "\"qid\"", "the word"}},
          {"1\n1 3:1 2:1 3:2\n", {"line 2", "word 3 twice"}},
          {"1\n# nothing\n", {"a.svm", "no words"}},
          {"", {"a.svm", "no words"}},
      },
      [](const CountFiles& files) { import_svmlight(files, false); }, vocabulary);
  expect_refusals(
      "a.svm", {{"1 3:1\n", {"line 1", "\"3\"", "from 0 to 2"}}},
      [](const CountFiles& files) { import_svmlight(files, true); }, vocabulary);
}

TEST(ImportVw, RefusesEachCorruptionNamingFileAndLine) {
  expect_refusals(
      "a.vw",
      {
          {"1 | apple\n1 apple\n", {"a.vw, line 2", "\"1 apple\"", "bar"}},
          {"| apple\n\n", {"line 2", "bar"}},
          {"spam | apple\n", {"line 1", "\"spam\"", "label, importance"}},
          {"| apple:0.5\n", {"line 1", "\"0.5\"", "the count", "whole"}},
          {"| apple:\n", {"line 1", "\"\"", "the count"}},
          {"| apple:-1\n", {"line 1", "\"-1\"", "the count"}},
          {"| :2\n", {"line 1", "\":2\"", "word:count"}},
          {"|w:0.5 apple\n", {"line 1", "\"w:0.5\"", "weight"}},
          {"| apple\n| durian\n", {"line 2", "\"durian\"", "not in the vocabulary"}},
          {"| apple:16777216 apple\n", {"line 1", "add up to 16777217"}},
          {"|\n| \n", {"a.vw", "no words"}},
          {"", {"a.vw", "no words"}},
      },
      [](const CountFiles& files) { import_vw(files, ""); }, vocabulary);
  expect_refusals("a.vw", {{"|w apple\n", {"a.vw", "no words", "\"x\""}}, {"", {"a.vw", "no words"}}},
                  [](const CountFiles& files) { import_vw(files, "x"); });
}

TEST(ImportVw, NumbersWordsInAlphabeticalOrderOrInTheirs) {
  const ScratchFolder folder;
  const CountFiles files{.input = folder.write("in", "| pear fig:2\n'x | fig\n| apple\n"),
                         .output = folder / "out.h5"};
  import_vw(files, "");
  const auto found = contents_of_counts(files.output);
  EXPECT_EQ(found.vocabulary, (Names{"apple", "fig", "pear"}));
  EXPECT_EQ(found.ids, (Names{"0", "x", "2"}));
  EXPECT_EQ(found.words, (std::vector<std::int32_t>{1, 2, 1, 0}));
  folder.write("in", "| 10:3 9 100\n");
  import_vw(files, "");
  EXPECT_EQ(contents_of_counts(files.output).vocabulary, (Names{"9", "10", "100"}));
  EXPECT_EQ(contents_of_counts(files.output).counts, (std::vector<float>{1, 3, 1}));
}

TEST(ImportVw, TakesOneNamespaceWhereAsked) {
  const ScratchFolder folder;
  const CountFiles files{.input = folder.write("in", "1 |title a b |body b c\n1 |body a\n"),
                         .output = folder / "out.h5"};
  import_vw(files, "body");
  EXPECT_EQ(contents_of_counts(files.output).vocabulary, (Names{"a", "b", "c"}));
  EXPECT_EQ(contents_of_counts(files.output).words, (std::vector<std::int32_t>{1, 2, 0}));
  import_vw(files, "title");
  EXPECT_EQ(contents_of_counts(files.output).starts, (std::vector<std::int64_t>{0, 2, 2}));
}

}  // namespace
}  // namespace svi::data
