#include <gtest/gtest.h>

#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "expect.hpp"
#include "svi/base/random.hpp"
#include "svi/config/document.hpp"

// What a configuration must not hold: each text is refused with its line, none crashes or hangs.
namespace svi::config {
namespace {

std::string expect_refused(const std::string& text, const std::vector<std::string>& pieces) {
  SCOPED_TRACE(text.substr(0, 80));
  return expect_error(ExitCode::bad_config, pieces, [&] { Document::parse(text, "c.yaml"); });
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string result;
  result.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

TEST(Refusal, AliasesAndAnchors) {
  expect_refused("a: 1\nb: &x 2\n", {"c.yaml:2", "anchors"});
  expect_refused("a:\n  b: *x\n", {"c.yaml:2"});
  expect_refused("a: &x [*x]\n", {"c.yaml:1", "anchors"});
  expect_refused("&x a: 1\n", {"c.yaml:1", "anchors"});
  expect_refused("<<: *defaults\n", {"c.yaml:1"});
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" +
            repeated("*a" + std::to_string(i - 1) + ", ", 9) + "]\n";
  }
  expect_refused(bomb, {"c.yaml:1", "anchors"});
}

TEST(Refusal, Tags) {
  expect_refused("a: !!str 5\n", {"c.yaml:1", "tags"});
  expect_refused("a: 1\nb: !include secret.yaml\n", {"c.yaml:2", "tags"});
  expect_refused("a: !!python/object:os.system [x]\n", {"c.yaml:1", "tags"});
  expect_refused("!!map\na: 1\n", {"c.yaml:", "tags"});
}

TEST(Refusal, DuplicateKeys) {
  expect_refused("a:\n  b: 1\n  b: 2\n", {"c.yaml:3", "a.b is given twice"});
  expect_refused("a: {b: 1}\nc: {d: 1}\na: {e: 1}\n", {"c.yaml:3", "a is given twice"});
  expect_refused("a: {b: 1}\na.b: 2\n", {"c.yaml:2", "a.b is given twice, also at c.yaml:1"});
}

// The depth check comes from the parser's events; the parser itself would recurse as deep as it is let.
TEST(Refusal, DeepNesting) {
  const auto nested = [](std::size_t depth) {
    return repeated("{a: ", depth) + "1" + repeated("}", depth) + "\n";
  };
  EXPECT_NO_THROW(Document::parse(nested(16), "c.yaml"));
  expect_refused(nested(17), {"c.yaml:1", "nested deeper than 16"});
  expect_refused(nested(100'000), {"c.yaml:1", "nested deeper than 16"});
  expect_refused(repeated("{a: ", 1 << 18), {"c.yaml:1"});
  expect_refused(repeated("[", 1 << 20), {"c.yaml:1"});
  expect_refused(repeated("{", 1 << 20), {"c.yaml:1"});
  expect_refused(repeated("[{", 1 << 19), {"c.yaml:1"});
  expect_refused("a: " + repeated("[", 1 << 19), {"c.yaml:1"});
  expect_refused(repeated("- ", 1 << 19), {"c.yaml:1"});
  expect_refused(repeated("? ", 1 << 19), {"c.yaml:1"});
  expect_refused(repeated("a: ", 1 << 18), {"c.yaml:1"});
  std::string block;
  for (std::size_t depth = 0; depth < 1000; ++depth) block += std::string(depth, ' ') + "a:\n";
  expect_refused(block, {"c.yaml:17", "nested deeper than 16"});
}

TEST(Refusal, SeveralDocuments) {
  expect_refused("a: 1\n---\nb: 2\n", {"c.yaml:", "second YAML document"});
  expect_refused("a: 1\n...\nb: 2\n", {"c.yaml:", "second YAML document"});
  expect_refused("a: 1\n---\n", {"c.yaml:"});
  EXPECT_NO_THROW(Document::parse("---\na: 1\n...\n", "c.yaml"));
}

TEST(Refusal, LargeFiles) {
  const std::string line = "key: value  # a comment of some length\n";
  const std::string fits = line + std::string((1 << 20) - line.size(), '#');
  EXPECT_EQ(Document::parse(fits, "c.yaml").find("key"), "value");
  expect_refused(fits + "#", {"c.yaml:1", "larger than 1 MiB"});
}

TEST(Refusal, EmptyOnes) {
  for (const char* text :
       {"", "\n\n", "# only\n# comments\n", "---\n", "---\n...\n", "{}\n", "~\n", "null\n", " "}) {
    expect_refused(text, {"c.yaml:"});
  }
  expect_refused("", {"c.yaml:1", "empty"});
}

TEST(Refusal, NoMapping) {
  expect_refused("train.batch=3\n", {"c.yaml:1", "train.batch=3", "expected sections"});
  expect_refused("5\n", {"c.yaml:1", "expected sections"});
  expect_refused("- a\n- b\n", {"c.yaml:1", "found a list"});
  expect_refused("[a, b]\n", {"c.yaml:1", "found a list"});
}

TEST(Refusal, KeysWithoutValuesAndValuesWithoutKeys) {
  expect_refused("a:\n  b:\n", {"c.yaml:", "a.b has no value"});
  expect_refused("a:\n  b: ~\n", {"c.yaml:2", "a.b has no value"});
  expect_refused("a:\n  b: null\nc: 1\n", {"c.yaml:2", "a.b has no value"});
  expect_refused("a:\nb: {c: 1}\n", {"a has no value"});
  expect_refused("a: {}\n", {"c.yaml:1", "a has no keys"});
  expect_refused("a: {b: [1, , 2]}\n", {"c.yaml:1"});
  expect_refused("a:\n  - 1\n  -\n", {"a has an empty element"});
  expect_refused(": 5\n", {"c.yaml:1"});
  expect_refused("'': 5\n", {"c.yaml:1", "empty text"});
  expect_refused("~: 5\n", {"c.yaml:1", "no key"});
}

TEST(Refusal, NestedListsAndOddKeys) {
  expect_refused("a: [1, [2]]\n", {"c.yaml:1", "a holds a list or mapping"});
  expect_refused("a:\n  - b: 1\n", {"c.yaml:2", "a holds a list or mapping"});
  expect_refused("a: [b: 1]\n", {"c.yaml:1", "a holds a list or mapping"});
  expect_refused("? [a, b]\n: 1\n", {"c.yaml:1", "where a key belongs"});
  expect_refused("{a: 1}: 2\n", {"c.yaml:1", "where a key belongs"});
}

TEST(Refusal, SyntaxErrors) {
  expect_refused("a:\n\tb: 1\n", {"c.yaml:2", "tab", "use spaces"});
  expect_refused("a: 1\nb: \"open\nc: 1\n", {"c.yaml:2", "quotation mark is not closed"});
  expect_refused("a: 'open", {"c.yaml:1", "quotation mark is not closed"});
  expect_refused("a: [1, 2\nb: 3\n", {"c.yaml:", "not valid YAML"});
  expect_refused("a: {b: 1\n", {"c.yaml:", "not valid YAML"});
  expect_refused("a: 1\n  b: 2\n", {"c.yaml:2", "not valid YAML"});
  expect_refused("a: b: c\n", {"c.yaml:1"});
  expect_refused("a:\n  b: 1\n c: 2\n", {"c.yaml:3", "indented like the keys beside it"});
  expect_refused("a: 1\n}\n", {"c.yaml:"});
  expect_refused("a: \"\\q\"\n", {"c.yaml:1", "not valid YAML"});
  expect_refused("a: @x\n", {"c.yaml:1", "not valid YAML"});
  expect_refused("a: 1\nb\n", {"c.yaml:"});
}

TEST(Refusal, BinaryAndOtherEncodings) {
  using namespace std::string_literals;
  expect_refused("\x89HDF\r\n\x1a\n"s, {"c.yaml:1", "0x89", "not UTF-8"});
  expect_refused("a: 1\nb: \0x\n"s, {"c.yaml:2", "0x00", "control character"});
  expect_refused("a: 1\n\x04\nb: [[[[\n"s, {"c.yaml:2", "0x04"});  // yaml-cpp's own sign for the end
  expect_refused("a: \xC3\x28\n"s, {"c.yaml:1", "0xC3", "not UTF-8"});
  expect_refused("a: \xC0\xAF\n"s, {"not UTF-8"});          // overlong
  expect_refused("a: \xED\xA0\x80\n"s, {"not UTF-8"});      // half of a surrogate pair
  expect_refused("a: \xF4\x90\x80\x80\n"s, {"not UTF-8"});  // above U+10FFFF
  expect_refused("a: \xE2\x82"s, {"not UTF-8"});            // cut off
  expect_refused("\xFF\xFE\x61\x00\x3A\x00\x20\x00\x31\x00"s, {"c.yaml:1", "not UTF-8"});  // UTF-16
  expect_refused("a: \x1B[31m\n", {"c.yaml:1", "0x1B"});
  EXPECT_EQ(Document::parse("\xEF\xBB\xBF"
                            "a: \xF0\x9F\x99\x82\r\n",
                            "c.yaml")
                .find("a"),
            "\xF0\x9F\x99\x82");
}

TEST(Refusal, ControlCharactersByEscapeOrBlock) {
  for (const char* text :
       {"a: \"x\\ny\"\n", "a: \"\\e[31m\"\n", "a: \"\\0\"\n", "a: |\n  x\n", "\"a\\t\": 1\n"}) {
    expect_refused(text, {"c.yaml:", "control character"});
  }
}

class FileTest : public testing::Test {
 protected:
  FileTest() {
    folder_ = std::filesystem::temp_directory_path() / ("svi-config-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~FileTest() override { std::filesystem::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

TEST_F(FileTest, LoadsAndNamesTheFile) {
  std::ofstream(path("good.yaml")) << "a: {b: 5}\n";
  EXPECT_EQ(Document::load(path("good.yaml")).find("a.b"), "5");
  std::ofstream(path("bad.yaml")) << "a: 1\na: 2\n";
  expect_error(ExitCode::bad_config, {path("bad.yaml") + ":2"}, [&] { Document::load(path("bad.yaml")); });
}

TEST_F(FileTest, RefusesWhatIsNoFile) {
  expect_error(ExitCode::missing_input, {path("none.yaml"), "cannot open"},
               [&] { Document::load(path("none.yaml")); });
  expect_error(ExitCode::missing_input, {"is a directory"}, [&] { Document::load(path("")); });
  expect_error(ExitCode::bad_config, {"/dev/zero", "larger than 1 MiB"}, [] { Document::load("/dev/zero"); });
  expect_error(ExitCode::bad_config, {"/dev/null", "empty"}, [] { Document::load("/dev/null"); });
}

// Real configurations, damaged at random: read or refused, nothing else.
TEST(Refusal, DamagedConfigurations) {
  const Philox philox(7);
  const std::string alphabet = "{}[]:,-?*&!|>'\"%@#~ \n\t\\ab10.=<\x80";
  for (const char* name : {"vae-fashion-mnist.yaml", "lda-debian.yaml"}) {
    std::ifstream file(std::string(SVI_SOURCE_DIR "/configs/") + name);
    std::stringstream contents;
    contents << file.rdbuf();
    const std::string original = contents.str();
    ASSERT_GT(original.size(), 500U);
    ASSERT_NO_THROW(Document::parse(original, name));
    std::int64_t refused = 0;
    for (std::uint64_t round = 0; round < 3000; ++round) {
      std::string text = original;
      const auto draw = [&](std::uint64_t bound, std::uint64_t i) {
        return philox.below(bound, Purpose::test_data, round, 0, i);
      };
      const std::uint64_t changes = 1 + draw(6, 0);
      for (std::uint64_t change = 0; change < changes; ++change) {
        const std::uint64_t place = draw(text.size(), 3 * change + 1);
        const char letter = alphabet[draw(alphabet.size(), 3 * change + 2)];
        if (draw(3, 3 * change + 3) == 0)
          text.erase(place, 1 + place % 40);
        else if (round % 2 == 0)
          text[place] = letter;
        else
          text.insert(place, 1 + place % 3, letter);
      }
      try {
        Document::parse(text, name);
      } catch (const Error& error) {
        ++refused;
        EXPECT_EQ(error.code(), ExitCode::bad_config);
        EXPECT_TRUE(std::string(error.what()).starts_with(std::string(name) + ":")) << error.what();
      }
    }
    EXPECT_GT(refused, 1000);
  }
}

}  // namespace
}  // namespace svi::config
