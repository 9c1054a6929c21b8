#include <gtest/gtest.h>

#include "import/scratch.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/import_text.hpp"
#include "svi/data/tokens.hpp"

namespace svi::data {
namespace {

using test::expect_error;
using test::ScratchFolder;
using Names = std::vector<std::string>;

Names tokens_of(std::string_view text, int shortest = 1) {
  Names tokens;
  for_each_token(text, shortest, [&](std::string_view token) { tokens.emplace_back(token); });
  return tokens;
}

TEST(Tokens, AreRunsOfLettersInLowerCase) {
  EXPECT_EQ(tokens_of("The cat, 42 CATS; x86-64 don't."), (Names{"the", "cat", "cats", "x", "don", "t"}));
  EXPECT_EQ(tokens_of("a bc def", 2), (Names{"bc", "def"}));
  EXPECT_EQ(tokens_of(" \t\r\n 12 --"), Names{});
  EXPECT_EQ(tokens_of(""), Names{});
}

TEST(Tokens, KeepLettersOfAllScriptsAndDropOtherCharacters) {
  EXPECT_EQ(tokens_of("ÉCOLE Straße ΑΘΗΝΑ Москва 東京"),
            (Names{"école", "straße", "αθηνα", "москва", "東京"}));
  EXPECT_EQ(tokens_of("“quoted”—and… 3×4 €5 a\u00a0b 😀"), (Names{"quoted", "and", "a", "b"}));
  EXPECT_EQ(tokens_of("éa", 3), Names{});  // length counts letters, not bytes
  EXPECT_EQ(tokens_of("éab", 3), (Names{"éab"}));
}

TEST(Tokens, TakeBytesThatAreNotUtf8AsSeparators) {
  EXPECT_EQ(tokens_of("caf\xe9 bar\xff\xfe"
                      "baz"),
            (Names{"caf", "bar", "baz"}));
  EXPECT_EQ(tokens_of("end\xe2\x82"), (Names{"end"}));
  EXPECT_EQ(tokens_of("a\xc0\xaf"
                      "b"),
            (Names{"a", "b"}));  // an overlong form
}

TEST(StopWordList, IsEnglishNoneOrAFile) {
  const ScratchFolder folder;
  EXPECT_TRUE(english_stop_words().contains("the"));
  EXPECT_FALSE(english_stop_words().contains("network"));
  EXPECT_TRUE(stop_words("none").empty());
  const StopWords own = stop_words(folder.write("stop.txt", "Apple\n# a comment\n\npear\n"));
  EXPECT_EQ(own, (StopWords{"apple", "pear"}));
  expect_error(ExitCode::missing_input, {"nowhere.txt"}, [&] { stop_words(folder / "nowhere.txt"); });
}

TEST(CorpusBuilder, CountsWordsInAlphabeticalOrder) {
  CorpusBuilder builder({.stop_words = "none", .min_df = 1, .max_df = 1.0});
  builder.begin("first");
  builder.add("pear apple");
  builder.add("Apple");
  builder.begin("second");
  builder.begin("third");
  builder.add("zebra pear");
  const Corpus corpus = builder.finish();
  EXPECT_EQ(corpus.vocabulary, (Names{"apple", "pear", "zebra"}));
  EXPECT_EQ(corpus.document_ids, (Names{"first", "second", "third"}));
  EXPECT_EQ(corpus.rows.starts, (std::vector<std::int64_t>{0, 2, 2, 4}));
  EXPECT_EQ(corpus.rows.words, (std::vector<std::int32_t>{0, 1, 1, 2}));
  EXPECT_EQ(corpus.rows.counts, (std::vector<float>{2, 1, 1, 1}));
}

// Four documents; in brackets the number of them that have the word.
Corpus pruned(TextOptions options) {
  options.stop_words = "none";
  CorpusBuilder builder(options);
  for (const char* text : {"all half half one", "all half three", "all three", "all three other"}) {
    builder.begin(text);
    builder.add(text);
  }
  return builder.finish();
}

TEST(CorpusBuilder, PrunesByDocumentFrequency) {
  EXPECT_EQ(pruned({.min_df = 1, .max_df = 1}).vocabulary, (Names{"all", "half", "one", "other", "three"}));
  EXPECT_EQ(pruned({.min_df = 2, .max_df = 1}).vocabulary, (Names{"all", "half", "three"}));
  EXPECT_EQ(pruned({.min_df = 1, .max_df = 0.75}).vocabulary, (Names{"half", "one", "other", "three"}));
  EXPECT_EQ(pruned({.min_df = 2, .max_df = 0.5}).vocabulary, (Names{"half"}));
  EXPECT_EQ(pruned({.min_df = 1, .max_df = 1, .keep = 2}).vocabulary, (Names{"all", "three"}));
  EXPECT_EQ(pruned({.min_df = 1, .max_df = 0.25, .keep = 1}).vocabulary, (Names{"one"}));
}

TEST(CorpusBuilder, KeepsDocumentsThatLoseAllTheirWords) {
  const Corpus corpus = pruned({.min_df = 2, .max_df = 0.5});
  EXPECT_EQ(corpus.rows.starts, (std::vector<std::int64_t>{0, 1, 2, 2, 2}));
  EXPECT_EQ(corpus.rows.counts, (std::vector<float>{2, 1}));
}

TEST(CorpusBuilder, RefusesACorpusWithoutWordsOrDocuments) {
  expect_error(ExitCode::bad_data, {"no word is left of 5", "4 documents", "--min-df"},
               [] { pruned({.min_df = 9}); });
  expect_error(ExitCode::bad_data, {"no document"}, [] { CorpusBuilder(TextOptions{}).finish(); });
}

const TextOptions all_words{.stop_words = "english", .min_df = 1, .max_df = 1};

TEST(ImportText, ReadsADocumentAFile) {
  const ScratchFolder folder;
  const auto one = folder.write("one.txt", "The river\nand the river bank\n");
  const auto two = folder.write_gzip("two.txt.gz", "A bank of money");
  const Corpus corpus = import_text_files({one, two}, all_words);
  EXPECT_EQ(corpus.vocabulary, (Names{"bank", "money", "river"}));
  EXPECT_EQ(corpus.document_ids, (Names{one, two}));
  EXPECT_EQ(corpus.rows.words, (std::vector<std::int32_t>{0, 2, 0, 1}));
  EXPECT_EQ(corpus.rows.counts, (std::vector<float>{1, 2, 1, 1}));
}

TEST(ImportText, ReadsADocumentALineAndRoundTrips) {
  const ScratchFolder folder;
  const auto path = folder.write("lines.txt", "river bank river\n\nmoney bank\n");
  const Corpus corpus = import_text_lines({path}, all_words);
  write_counts(folder / "a.h5", corpus.rows, corpus.vocabulary, corpus.document_ids);
  const DataFile file(folder / "a.h5");
  EXPECT_EQ(file.facts().vocabulary, (Names{"bank", "money", "river"}));
  const auto rows = std::get<CountRows>(file.read(0, 3));
  EXPECT_EQ(rows.starts, (std::vector<std::int64_t>{0, 2, 2, 4}));
  EXPECT_EQ(rows.words, (std::vector<std::int32_t>{0, 2, 0, 1}));
  EXPECT_EQ(rows.counts, (std::vector<float>{1, 2, 1, 1}));
}

TEST(ImportJsonl, TakesTextAndIdFromMembers) {
  const ScratchFolder folder;
  const auto path = folder.write("a.jsonl",
                                 "{\"key\": \"x/1\", \"body\": \"river bank\"}\n\n"
                                 "{\"body\": \"money\\u0020bank \\u00c9cole\", \"key\": 17}\n");
  const Corpus corpus = import_jsonl({path}, {.field = "body", .id_field = "key"}, all_words);
  EXPECT_EQ(corpus.vocabulary, (Names{"bank", "money", "river", "école"}));
  EXPECT_EQ(corpus.document_ids, (Names{"x/1", "17"}));
  EXPECT_EQ(corpus.rows.words, (std::vector<std::int32_t>{0, 2, 0, 1, 3}));
  EXPECT_EQ(import_jsonl({path}, {.field = "body"}, all_words).document_ids, (Names{"0", "1"}));
}

TEST(ImportJsonl, RefusesEachCorruptionNamingFileAndLine) {
  const ScratchFolder folder;
  const auto refuses = [&](const std::string& line, const std::vector<std::string>& parts) {
    SCOPED_TRACE(line);
    const auto path = folder.write("a.jsonl", "{\"text\": \"fine\", \"id\": 1}\n" + line + "\n");
    expect_error(ExitCode::bad_data, parts, [&] { import_jsonl({path}, {.id_field = "id"}, all_words); });
  };
  refuses("{\"text\": \"cut", {"a.jsonl, line 2", "{\"text\": \"cut", "JSON object"});
  refuses("[1, 2]", {"a.jsonl, line 2", "[1, 2]", "JSON object"});
  refuses("{\"words\": \"a\"}", {"line 2", "no member \"text\""});
  refuses("{\"text\": 3}", {"line 2", "\"text\"", "number"});
  refuses("{\"text\": \"a\"}", {"line 2", "no member \"id\""});
  refuses("{\"text\": \"a\", \"id\": [1]}", {"line 2", "\"id\"", "array"});
  refuses(std::string(100000, '['), {"line 2", "JSON object"});
}

}  // namespace
}  // namespace svi::data
