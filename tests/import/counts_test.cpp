#include <gtest/gtest.h>

#include "import/scratch.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/import_counts.hpp"

namespace svi::data {
namespace {

using test::expect_error;
using test::ScratchFolder;
using Starts = std::vector<std::int64_t>;
using Words = std::vector<std::int32_t>;
using Counts = std::vector<float>;
using Names = std::vector<std::string>;

// Four documents, the third without a word; the first comes last and unsorted.
constexpr const char* docword = "4\n3\n5\n2 3 1\n2 1 4\n4 2 7\n1 3 2\n1 1 1\n";
constexpr const char* vocabulary = "apple\nbirch\ncedar\n";

void expect_hand_computed(const CountRows& rows) {
  EXPECT_EQ(rows.starts, (Starts{0, 2, 4, 4, 5}));
  EXPECT_EQ(rows.words, (Words{0, 2, 0, 2, 1}));
  EXPECT_EQ(rows.counts, (Counts{1, 2, 4, 1, 7}));
}

TEST(ImportUci, GivesTheHandComputedMatrixPlainAndGzip) {
  const ScratchFolder folder;
  const auto words = folder.write("vocab.txt", vocabulary);
  for (const auto& path : {folder.write("a.txt", docword), folder.write_gzip("a.txt.gz", docword)}) {
    const Corpus corpus = import_uci(path, words);
    expect_hand_computed(corpus.rows);
    EXPECT_EQ(corpus.vocabulary, (Names{"apple", "birch", "cedar"}));
  }
}

TEST(ImportUci, RoundTripsThroughADataFile) {
  const ScratchFolder folder;
  const Corpus corpus = import_uci(folder.write("a.txt", docword), folder.write("vocab.txt", vocabulary));
  write_counts(folder / "a.h5", corpus.rows, corpus.vocabulary, corpus.document_ids);
  const DataFile file(folder / "a.h5");
  EXPECT_EQ(file.facts().vocabulary, corpus.vocabulary);
  EXPECT_EQ(file.facts().rows, 4);
  expect_hand_computed(std::get<CountRows>(file.read(0, 4)));
}

TEST(ImportUci, NamesWordsByTheirNumberWithoutAVocabulary) {
  const ScratchFolder folder;
  EXPECT_EQ(import_uci(folder.write("a.txt", docword), "").vocabulary, (Names{"1", "2", "3"}));
}

TEST(ImportUci, RefusesEachCorruptionNamingFileAndLine) {
  const ScratchFolder folder;
  struct Case {
    const char* text;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases{
      {"", {"a.txt", "header"}},
      {"2\n3\n", {"a.txt", "header"}},
      {"x\n3\n1\n1 1 1\n", {"a.txt, line 1", "\"x\"", "number of documents"}},
      {"2\n0\n1\n1 1 1\n", {"line 2", "\"0\"", "number of words"}},
      {"2\n3\n-1\n", {"line 3", "\"-1\"", "number of entries"}},
      {"2\n3\n1\n3 1 1\n", {"line 4", "\"3\"", "the document", "from 1 to 2"}},
      {"2\n3\n1\n0 1 1\n", {"line 4", "\"0\"", "the document"}},
      {"2\n3\n1\n1 4 1\n", {"line 4", "\"4\"", "the word", "from 1 to 3"}},
      {"2\n3\n1\n1 0 1\n", {"line 4", "\"0\"", "the word"}},
      {"2\n3\n1\n1 1 0\n", {"line 4", "\"0\"", "the count"}},
      {"2\n3\n1\n1 1 -2\n", {"line 4", "\"-2\"", "the count"}},
      {"2\n3\n1\n1 1 1.5\n", {"line 4", "\"1.5\"", "the count"}},
      {"2\n3\n1\n1 1\n", {"line 4", "\"1 1\"", "three numbers"}},
      {"2\n3\n2\n1 1 1\n", {"line 3", "announces 2 entries", "1 follow"}},
      {"2\n3\n1\n1 1 1\n1 2 1\n", {"line 5", "beyond the 1"}},
      {"2\n3\n3\n1 2 1\n2 1 1\n1 2 1\n", {"line 6", "word 2 of document 1", "second time"}},
      {"2\n3\n1\n1 1 99999999999999999999\n", {"line 4", "the count"}},
      {"999999999999\n3\n1\n1 1 1\n", {"line 1", "number of documents"}},
  };
  for (const Case& wrong : cases) {
    SCOPED_TRACE(wrong.text);
    const auto path = folder.write("a.txt", wrong.text);
    expect_error(ExitCode::bad_data, wrong.parts, [&] { import_uci(path, ""); });
  }
}

TEST(ImportUci, RefusesAVocabularyOfOtherLengthAndOneWithEmptyLines) {
  const ScratchFolder folder;
  const auto path = folder.write("a.txt", docword);
  const auto two_words = folder.write("two.txt", "apple\nbirch\n");
  expect_error(ExitCode::bad_data, {"a.txt, line 2", "3 words", "two.txt has 2"},
               [&] { import_uci(path, two_words); });
  const auto with_gap = folder.write("gap.txt", "apple\n\ncedar\n");
  expect_error(ExitCode::bad_data, {"gap.txt, line 2", "empty"}, [&] { import_uci(path, with_gap); });
  const auto empty = folder.write("empty.txt", "");
  expect_error(ExitCode::bad_data, {"empty.txt", "empty"}, [&] { import_uci(path, empty); });
}

TEST(ImportUci, SaysWhichFileIsMissingOrDamaged) {
  const ScratchFolder folder;
  expect_error(ExitCode::missing_input, {"nowhere.txt"}, [&] { import_uci(folder / "nowhere.txt", ""); });
  const auto whole = test::contents_of(folder.write_gzip("a.gz", docword));
  const auto cut = folder.write("cut.gz", whole.substr(0, whole.size() - 6));
  expect_error(ExitCode::bad_data, {"cut.gz"}, [&] { import_uci(cut, ""); });
}

TEST(ImportLdaC, GivesTheHandComputedMatrix) {
  const ScratchFolder folder;
  const auto path = folder.write("a.ldac", "2 2:2 0:1\n2 0:4 2:1\n0\n1 1:7\n");
  expect_hand_computed(import_lda_c(path, folder.write("vocab.txt", vocabulary)).rows);
  EXPECT_EQ(import_lda_c(path, "").vocabulary, (Names{"0", "1", "2"}));
}

TEST(ImportLdaC, RefusesEachCorruptionNamingFileAndLine) {
  const ScratchFolder folder;
  const auto words = folder.write("vocab.txt", vocabulary);
  struct Case {
    const char* text;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases{
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
  };
  for (const Case& wrong : cases) {
    SCOPED_TRACE(wrong.text);
    const auto path = folder.write("a.ldac", wrong.text);
    expect_error(ExitCode::bad_data, wrong.parts, [&] { import_lda_c(path, words); });
  }
}

}  // namespace
}  // namespace svi::data
