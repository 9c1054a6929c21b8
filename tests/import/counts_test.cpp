#include "svi/data/counts_writer.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>
#include <random>
#include <thread>

#include "import/counts.hpp"

namespace svi::data {
namespace {

using test::Contents;
using test::contents_of_counts;
using test::expect_error;
using test::expect_refusals;
using test::ScratchFolder;
using test::small_corpus;
using Names = std::vector<std::string>;

constexpr const char* vocabulary = "apple\nbirch\ncedar\n";
constexpr const char* ids = "a\nb\nc\nd\n";

// The small corpus, sorted and not, as several kinds of text.
constexpr const char* docword = "4\n3\n5\n1 1 1\n1 3 2\n2 1 4\n2 3 1\n4 2 7\n";
constexpr const char* unsorted_docword = "4\n3\n5\n2 3 1\n2 1 4\n4 2 7\n1 3 2\n1 1 1\n";

struct Text {
  const char* name;
  const char* text;
  std::function<CountsSummary(const CountFiles&)> import;
};

const std::vector<Text>& texts_of_small_corpus() {
  static const auto mtx = [](const CountFiles& files) { return import_mtx(files, false); };
  static const auto transposed = [](const CountFiles& files) { return import_mtx(files, true); };
  static const auto svmlight = [](const CountFiles& files) { return import_svmlight(files, false); };
  static const auto from_zero = [](const CountFiles& files) { return import_svmlight(files, true); };
  static const auto vw = [](const CountFiles& files) { return import_vw(files, ""); };
  static const std::vector<Text> texts{
      {"uci, sorted", docword, import_uci},
      {"uci, not sorted", unsorted_docword, import_uci},
      {"uci, other blanks and ends of lines", "4\r\n 3\n5\n1 1 1\r\n1\t3 2\n 2  1 4\n2 3 1 \n4 2 7\n\n\n",
       import_uci},
      {"uci, no last newline", "4\n3\n5\n1 1 1\n1 3 2\n2 1 4\n2 3 1\n4 2 7", import_uci},
      {"lda-c", "2 2:2 0:1\n2 0:4 2:1\n0\n1 1:7\n", import_lda_c},
      {"mtx by rows",
       "%%MatrixMarket matrix coordinate integer general\n%\n% a comment\n4 3 5\n1 1 1\n1 3 2\n2 1 4\n2 3 "
       "1\n4 2 7\n",
       mtx},
      {"mtx by columns, real, with a zero",
       "%%matrixmarket MATRIX Coordinate Real General\n4 3 6\n1 1 1.0\n2 1 4\n3 1 0\n4 2 7e0\n1 3 2.\n2 3 "
       "1\n",
       mtx},
      {"mtx transposed",
       "%%MatrixMarket matrix coordinate integer general\n3 4 5\n1 1 1\n3 1 2\n1 2 4\n3 2 1\n2 4 7\n",
       transposed},
      {"svmlight", "1 1:1 3:2 # a comment\n# only a comment\n-1.5 qid:3 3:1 1:4.0\n0,2\n+1 1:0 2:7\n",
       svmlight},
      {"svmlight from 0", "1 0:1 2:2\n1 0:4 2:1\n1\n1 1:7\n", from_zero},
      {"vw", "1 'a|w apple cedar:2\n'b |w apple:4 cedar\nc|\n1 0.5 'd |w birch:5 |other birch birch:1.0\n",
       vw},
  };
  return texts;
}

TEST(EachFormatOfText, GivesTheSameContentsPlainAndGzip) {
  const ScratchFolder folder;
  CountFiles files{.output = folder / "out.h5",
                   .vocabulary = folder.write("vocabulary.txt", vocabulary),
                   .document_ids = folder.write("ids.txt", ids)};
  for (const Text& text : texts_of_small_corpus()) {
    SCOPED_TRACE(text.name);
    for (const auto& path : {folder.write("in", text.text), folder.write_gzip("in.gz", text.text)}) {
      files.input = path;
      const CountsSummary written = text.import(files);
      EXPECT_EQ(contents_of_counts(files.output), small_corpus());
      EXPECT_EQ(counts_text(written), "4 documents, 3 words, 5 entries, 15 tokens");
      std::filesystem::remove(files.output);
    }
  }
}

TEST(EachFormatOfText, NamesWordsAndDocumentsItselfWithoutFiles) {
  const ScratchFolder folder;
  const std::map<std::string, Names> from_zero{{"lda-c", {"0", "1", "2"}},
                                               {"svmlight from 0", {"0", "1", "2"}}};
  for (const Text& text : texts_of_small_corpus()) {
    SCOPED_TRACE(text.name);
    const CountFiles files{.input = folder.write("in", text.text), .output = folder / "out.h5"};
    text.import(files);
    Contents expected = small_corpus();
    const bool is_vw = text.name == std::string("vw");
    if (!is_vw) {
      expected.vocabulary = from_zero.contains(text.name) ? from_zero.at(text.name) : Names{"1", "2", "3"};
      expected.ids = {"0", "1", "2", "3"};
    }
    EXPECT_EQ(contents_of_counts(files.output), expected);
  }
}

TEST(EachFormatOfText, SaysWhichFileIsMissingOrDamaged) {
  const ScratchFolder folder;
  for (const Text& text : texts_of_small_corpus()) {
    SCOPED_TRACE(text.name);
    const auto refused = [&](ExitCode code, const std::string& path, const std::string& part) {
      expect_error(code, {part}, [&] { text.import({.input = path, .output = folder / "out.h5"}); });
      EXPECT_FALSE(std::filesystem::exists(folder / "out.h5"));
    };
    refused(ExitCode::missing_input, folder / "nowhere.txt", "nowhere.txt");
    refused(ExitCode::missing_input, folder.path(), "is a folder");
    const auto whole = test::contents_of(folder.write_gzip("a.gz", text.text));
    refused(ExitCode::bad_data, folder.write("cut.gz", whole.substr(0, whole.size() - 6)), "cut.gz");
  }
}

TEST(EachFormatOfText, RefusesNamesThatDoNotFit) {
  const ScratchFolder folder;
  CountFiles files{.input = folder.write("in", docword), .output = folder / "out.h5"};
  const auto refused = [&](const std::vector<std::string>& parts) {
    expect_error(ExitCode::bad_data, parts, [&] { import_uci(files); });
  };
  files.vocabulary = folder.write("two.txt", "apple\nbirch\n");
  refused({"in, line 2", "3 words", "two.txt has 2"});
  files.vocabulary = folder.write("gap.txt", "apple\n\ncedar\n");
  refused({"gap.txt, line 2", "empty"});
  files.vocabulary = folder.write("empty.txt", "");
  refused({"empty.txt", "empty"});
  files.vocabulary = folder.write("tabs.tsv", "1\tapple\tx\n2\n3\tcedar\tx\n");
  files.names_column = 2;
  refused({"tabs.tsv, line 2", "1 columns", "at least 2"});
  files.vocabulary = folder.write("tabs.tsv", "1\tapple\tx\n2\tbirch\n3\tcedar\tx\n");
  import_uci(files);
  EXPECT_EQ(contents_of_counts(files.output).vocabulary, small_corpus().vocabulary);
  files.names_column = 0;
  files.document_ids = folder.write("ids.txt", "a\nb\n");
  refused({"ids.txt", "2 ids", "4 documents"});
}

TEST(ImportUci, RefusesEachCorruptionNamingFileAndLine) {
  expect_refusals("a.txt",
                  {
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
                      {"2\n3\n1\n1 1 16777217\n", {"line 4", "\"16777217\"", "the count", "16777216"}},
                      {"2\n3\n1\n1 1\n", {"line 4", "\"1 1\"", "three numbers"}},
                      {"2\n3\n1\n1 1 1 1\n", {"line 4", "three numbers"}},
                      {"2\n3\n2\n1 1 1\n\n2 1 1\n", {"line 5", "\"\"", "three numbers"}},
                      {"2\n3\n2\n1 1 1\n", {"line 3", "announces 2 entries", "1 follow"}},
                      {"2\n3\n1\n1 1 1\n1 2 1\n", {"line 5", "beyond the 1"}},
                      {"2\n3\n1\n1 1 1\n\n1 2 1\n", {"line 6", "beyond the 1"}},
                      {"2\n3\n3\n2 1 1\n2 2 1\n2 1 1\n", {"line 6", "word 1 of document 2", "second time"}},
                      {"2\n3\n3\n2 1 1\n1 2 1\n2 1 1\n", {"line 6", "word 1 of document 2", "second time"}},
                      {"2\n3\n1\n1 1 99999999999999999999\n", {"line 4", "the count"}},
                      {"2\n3\n1\n18446744073709551617 1 1\n", {"line 4", "the document"}},
                      {"999999999999\n3\n1\n1 1 1\n", {"line 1", "number of documents"}},
                      {"2\n3\n1\n1 1 " + std::string(2 << 20, '1') + "\n", {"line 4", "longer than"}},
                  },
                  import_uci);
}

// Random documents × words, written in a random order of lines, against the matrix itself. The file is longer
// than a block of lines and has a document that is longer than a block of entries.
TEST(ImportUci, EqualsAMatrixInAnyOrderOfLines) {
  constexpr int documents = 400;
  constexpr int words = 1000;
  std::mt19937 generator(7);
  std::vector<std::string> lines;
  Contents expected{.starts = {0}};
  for (int document = 1; document <= documents; ++document) {
    for (int word = 1; word <= words; ++word) {
      if (document % 3 == 0 || generator() % 2 == 0) continue;
      const auto count = static_cast<int>(generator() % 2000 + 1);
      lines.push_back(fmt::format("{} {} {}\n", document, word, count));
      expected.words.push_back(word - 1);
      expected.counts.push_back(static_cast<float>(count));
    }
    expected.starts.push_back(std::ssize(expected.words));
    expected.ids.push_back(std::to_string(document - 1));
  }
  for (int word = 1; word <= words; ++word) expected.vocabulary.push_back(std::to_string(word));
  const ScratchFolder folder;
  const CountFiles files{.input = folder / "in", .output = folder / "out.h5"};
  for (const bool is_shuffled : {false, true}) {
    if (is_shuffled) std::shuffle(lines.begin(), lines.end(), generator);
    std::string text = fmt::format("{}\n{}\n{}\n", documents, words, lines.size());
    for (const auto& line : lines) text += line;
    ASSERT_GT(text.size(), std::size_t{1} << 20);
    folder.write("in", text);
    import_uci(files);
    EXPECT_TRUE(contents_of_counts(files.output) == expected) << is_shuffled;
  }
}

TEST(ImportUci, ReadsAPipeWhereSortedAndRefusesItElse) {
  const ScratchFolder folder;
  const CountFiles files{.input = folder / "pipe", .output = folder / "out.h5"};
  ASSERT_EQ(mkfifo(files.input.c_str(), 0600), 0);
  const auto feed = [&](const char* text) {
    return std::thread([&, text] { std::ofstream(files.input) << text; });
  };
  std::thread sorted = feed(docword);
  EXPECT_EQ(import_uci(files).entries, 5);
  sorted.join();
  std::thread unsorted = feed(unsorted_docword);
  expect_error(ExitCode::missing_input, {"pipe", "not sorted by document"}, [&] { import_uci(files); });
  unsorted.join();
}

// Rows shorter and longer than what is held before it is written, empty ones, and a last block of one entry.
TEST(CountsWriter, WritesMoreThanItHolds) {
  const ScratchFolder folder;
  constexpr std::int32_t block = 1 << 20;
  CountRows expected;
  CountsWriter writer(folder / "a.h5");
  double tokens = 0;
  for (const std::int32_t length : {3, block - 3, 0, block - 1, 2 * block + 1, 1}) {
    std::vector<std::int32_t> words(static_cast<std::size_t>(length));
    std::vector<float> counts(words.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i] = static_cast<std::int32_t>(i);
      counts[i] = static_cast<float>(1 + (i + expected.starts.size()) % 1000);
      tokens += static_cast<double>(counts[i]);
    }
    writer.add_row(words, counts);
    expected.words.insert(expected.words.end(), words.begin(), words.end());
    expected.counts.insert(expected.counts.end(), counts.begin(), counts.end());
    expected.starts.push_back(std::ssize(expected.words));
  }
  EXPECT_EQ(writer.columns(), 2 * block + 1);
  const CountsSummary written = writer.finish(Names(2 * block + 1, "w"), {});
  EXPECT_EQ(written.entries, std::ssize(expected.words));
  EXPECT_EQ(written.tokens, tokens);
  const Contents found = contents_of_counts(folder / "a.h5");
  EXPECT_TRUE(found.starts == expected.starts && found.words == expected.words &&
              found.counts == expected.counts);
  EXPECT_EQ(found.ids, (Names{"0", "1", "2", "3", "4", "5"}));
}

TEST(CountsWriter, LeavesTheOldFileUntilItIsDone) {
  const ScratchFolder folder;
  folder.write("a.h5", "old");
  {
    CountsWriter writer(folder / "a.h5");
    writer.add_row(std::vector<std::int32_t>{0}, std::vector<float>{1});
    expect_error(ExitCode::internal, {"a.h5", "do not match"}, [&] { writer.finish({}, {}); });
  }
  EXPECT_EQ(test::contents_of(folder / "a.h5"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(ImportMtx, RefusesEachCorruptionNamingFileAndLine) {
  const std::string banner = "%%MatrixMarket matrix coordinate integer general\n";
  expect_refusals(
      "a.mtx",
      {
          {"", {"a.mtx, line 1", "banner"}},
          {"4 3 5\n", {"line 1", "\"4 3 5\"", "banner"}},
          {"%%MatrixMarket matrix array integer general\n", {"line 1", "array", "coordinate"}},
          {"%%MatrixMarket matrix coordinate pattern general\n", {"line 1", "pattern", "integer or real"}},
          {"%%MatrixMarket matrix coordinate real symmetric\n", {"line 1", "symmetric", "general"}},
          {"%%MatrixMarket matrix coordinate real\n", {"line 1", "general"}},
          {banner + "% no more\n", {"a.mtx", "line of its sizes"}},
          {banner + "%\n2 3\n", {"line 3", "\"2 3\"", "rows, columns, entries"}},
          {banner + "x 3 1\n", {"line 2", "\"x\"", "number of rows"}},
          {banner + "2 0 1\n", {"line 2", "\"0\"", "number of columns"}},
          {banner + "2 3 -1\n", {"line 2", "\"-1\"", "number of entries"}},
          {banner + "2 3 1\n3 1 1\n", {"line 3", "\"3\"", "the row", "from 1 to 2"}},
          {banner + "2 3 1\n1 4 1\n", {"line 3", "\"4\"", "the column", "from 1 to 3"}},
          {banner + "2 3 1\n1 0 1\n", {"line 3", "\"0\"", "the column"}},
          {banner + "2 3 1\n1 1 0.5\n", {"line 3", "\"0.5\"", "the count", "whole"}},
          {banner + "2 3 1\n1 1 -1\n", {"line 3", "\"-1\"", "the count"}},
          {banner + "2 3 1\n1 1 nan\n", {"line 3", "\"nan\"", "the count"}},
          {banner + "2 3 1\n1 1 1e9\n", {"line 3", "\"1e9\"", "the count"}},
          {banner + "2 3 1\n1 1\n", {"line 3", "\"1 1\"", "three numbers"}},
          {banner + "2 3 2\n1 1 1\n", {"line 2", "announces 2 entries", "1 follow"}},
          {banner + "2 3 1\n1 1 1\n2 1 1\n", {"line 4", "beyond the 1", "line 2"}},
          {banner + "%\n2 3 3\n1 2 0\n2 1 1\n1 2 1\n", {"line 6", "word 2 of document 1", "second time"}},
      },
      [](const CountFiles& files) { import_mtx(files, false); });
  expect_refusals("a.mtx",
                  {{banner + "2 3 2\n1 2 1\n1 2 1\n", {"line 4", "word 1 of document 2", "second time"}}},
                  [](const CountFiles& files) { import_mtx(files, true); });
  expect_refusals(
      "a.mtx", {{banner + "3 2 1\n1 2 1\n", {"line 2", "2 words", "has 3", "--transposed"}}},
      [](const CountFiles& files) { import_mtx(files, false); }, vocabulary);
}

}  // namespace
}  // namespace svi::data
