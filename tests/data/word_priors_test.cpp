// Files of words' priors: what they may say, and what is refused with its line.
#include "svi/data/word_priors.hpp"

#include <gtest/gtest.h>

#include "import/scratch.hpp"

namespace svi::test {
namespace {

const std::vector<std::string> vocabulary{"disk", "#include", "kernel", "größe", "two words", "net"};

data::WordPriorFile read(const std::string& text, std::int64_t topics = 4) {
  const ScratchFolder folder;
  return data::read_word_priors(folder.write("priors.tsv", text), vocabulary, topics);
}

void expect_refused(const std::string& text, const std::vector<std::string>& parts) {
  SCOPED_TRACE(text);
  expect_error(ExitCode::bad_data, parts, [&] { read(text); });
}

TEST(WordPriors, AreReadByWordAndTopic) {
  const data::WordPriorFile file = read(
      "# seeds of the first two topics\n"
      "kernel\t1\t2.5\n"
      "\n"
      "net\t0.25\r\n"
      "größe\t0\t1e-3\n"
      "missing\t0\t1\n"
      "kernel\t3\n"
      "kernel\t0\t10\n"
      "#include\t5\n"
      "two words\t3\t7\n"
      "missing\t1\t1\n"
      "absent\t2");
  const std::vector<WordPrior> expected{{1, WordPrior::all_topics, 5},
                                        {2, WordPrior::all_topics, 3},
                                        {2, 0, 10},
                                        {2, 1, 2.5},
                                        {3, 0, 1e-3},
                                        {4, 3, 7},
                                        {5, WordPrior::all_topics, 0.25}};
  EXPECT_EQ(file.priors, expected);
  EXPECT_EQ(file.unknown, (std::vector<std::string>{"missing", "absent"}));
}

TEST(WordPriors, ComePlainOrCompressed) {
  const ScratchFolder folder;
  const std::string path = folder.write_gzip("priors.tsv.gz", "disk\t2\t3\n");
  const std::vector<WordPrior> expected{{0, 2, 3}};
  EXPECT_EQ(data::read_word_priors(path, vocabulary, 3).priors, expected);
}

TEST(WordPriors, RefuseOtherLines) {
  const std::string good = "disk\t1\n# a comment\n";
  expect_refused(good + "kernel 2\n", {"priors.tsv, line 3", "\"kernel 2\"", "word<TAB>weight"});
  expect_refused(good + "\t2\n", {"line 3", "word<TAB>topic<TAB>weight"});
  expect_refused(good + "kernel\t1\t2\t3\n", {"line 3", "expected word<TAB>weight"});
  for (const char* weight : {"", "0", "-1", "nan", "inf", "1e11", "2,5", "heavy", " 1"}) {
    expect_refused(good + "kernel\t" + weight + "\n",
                   {"line 3", std::string("weight is \"") + weight + "\"", "above 0"});
  }
  for (const char* topic : {"", "4", "-1", "1.5", "first", "99999999999999999999"}) {
    expect_refused(good + "kernel\t" + topic + "\t1\n",
                   {"line 3", std::string("topic is \"") + topic + "\"", "0 to 3"});
  }
}

TEST(WordPriors, RefuseTheSameTwice) {
  expect_refused("disk\t1\t2\nnet\t1\t2\ndisk\t1\t3\n", {"line 3", "\"disk\"", "in this topic", "line 1"});
  expect_refused("disk\t2\ndisk\t2\n", {"line 2", "in all topics", "line 1"});
}

TEST(WordPriors, RefuseFilesWithoutAnyKnownWord) {
  expect_refused("a\t1\nb\t1\n", {"priors.tsv", "none of its 2 words"});
  expect_refused("", {"priors.tsv", "none of its 0 words"});
  expect_error(ExitCode::missing_input, {"nowhere.tsv"},
               [] { data::read_word_priors("/nonexistent/nowhere.tsv", vocabulary, 4); });
}

TEST(WordPriors, NeedAVocabularyWithoutTwins) {
  const ScratchFolder folder;
  const std::string path = folder.write("priors.tsv", "disk\t1\n");
  expect_error(ExitCode::bad_data, {"words 0 and 1 are both \"disk\""}, [&] {
    data::read_word_priors(path, {"disk", "disk"}, 4);
  });
}

}  // namespace
}  // namespace svi::test
