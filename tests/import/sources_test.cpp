#include <gtest/gtest.h>

#include "import/scratch.hpp"
#include "svi/data/arff.hpp"
#include "svi/data/descriptions.hpp"

namespace svi::data {
namespace {

using test::expect_error;
using test::ScratchFolder;
using Names = std::vector<std::string>;

TEST(Arff, GivesTheValuesOfATextAttributeWithoutEscapes) {
  const ScratchFolder folder;
  const auto path =
      folder.write("a.arff",
                   "% comment\n@relation 'a b'\n\n@ATTRIBUTE size numeric\n@attribute Text string\n"
                   "@attribute class {0,1}\n\n@data\n\n"
                   "12,'It\\'s a\\nline, with \\\"quotes\\\"',1\n"
                   "% comment\n7 , \"plain\" , 0\n?,bare,1\n");
  EXPECT_EQ(read_arff_texts(path, "text"), (Names{"It's a\nline, with \"quotes\"", "plain", "bare"}));
}

TEST(Arff, RefusesEachCorruptionNamingFileAndLine) {
  const ScratchFolder folder;
  const auto refuses = [&](const std::string& text, const std::vector<std::string>& parts) {
    SCOPED_TRACE(text);
    const auto path = folder.write("a.arff", text);
    expect_error(ExitCode::bad_data, parts, [&] { read_arff_texts(path, "Text"); });
  };
  refuses("@attribute Text string\n@attribute c {0,1}\n@data\n'open,1\n", {"a.arff, line 4", "not closed"});
  refuses("@attribute Text string\n@attribute c {0,1}\n@data\n'a'\n", {"line 4", "1 values", "2 attributes"});
  refuses("@attribute Text string\n@attribute c {0,1}\n@data\n'a'b,1\n", {"line 4", "closing quote"});
  refuses("@attribute Text numeric\n@data\n1\n", {"line 2", "Text string"});
  refuses("@attribute Text string\n", {"line 1", "@data"});
}

constexpr const char* packages =
    "Package: libsolver-dev\nSource: solver (1.2-3)\nVersion: 1.2-3+b1\nDescription: short\nDescription-md5: "
    "aa\n"
    "Tag: one,\n two\n\n"
    "Package: solver\nDescription-md5: bb\n\n"
    "Package: libsolver1\nSource: solver\nDescription-md5: aa\n\n"
    "Package: editor\nDescription-md5: cc\n\n"
    "Package: silent\nDescription-md5: dd\n\n"
    "Package: unknown\nDescription-md5: ee\n";
constexpr const char* translations =
    "Package: libsolver-dev\nDescription-md5: aa\nDescription-en: headers\n Solves systems.\n .\n "
    "Quickly.\n\n"
    "Package: solver\nDescription-md5: bb\nDescription-en: program\n Command line.\n\n"
    "Package: editor\nDescription-md5: cc\nDescription-en: edits\n  * edits text\n\n"
    "Package: silent\nDescription-md5: dd\nDescription-en: only a synopsis\n";

TEST(Descriptions, JoinTheDistinctOnesOfASourcePackage) {
  const ScratchFolder folder;
  const auto documents = source_descriptions({folder.write("Packages", packages)},
                                             {folder.write("Translation-en", translations)});
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(documents[0].id, "editor");
  EXPECT_EQ(documents[0].text, "* edits text\n");
  EXPECT_EQ(documents[1].id, "solver");
  EXPECT_EQ(documents[1].text, "Solves systems.\n.\nQuickly.\nCommand line.\n");
}

TEST(Descriptions, RefuseDamagedLists) {
  const ScratchFolder folder;
  const auto bare = folder.write("bare", "Package: a\nno colon here\n");
  expect_error(ExitCode::bad_data, {"bare, line 2", "no colon here"},
               [&] { source_descriptions({bare}, {}); });
  const auto orphan = folder.write("orphan", "Package: a\n\n text\n");
  expect_error(ExitCode::bad_data, {"orphan, line 3", "continuation"},
               [&] { source_descriptions({orphan}, {}); });
}

}  // namespace
}  // namespace svi::data
