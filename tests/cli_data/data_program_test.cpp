#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "import/scratch.hpp"

namespace svi {
namespace {

using test::contents_of;
using test::ScratchFolder;

struct Outcome {
  int code;
  std::string output;
  std::string errors;
};

// The real program, in the scratch folder.
class SviData : public ::testing::Test {
 protected:
  Outcome run(const std::string& arguments, const std::string& before = "") const {
    const std::string command = "cd '" + folder.path() + "' && " + before + " '" +
                                SVI_BINARY_DIR "/svi-data' " + arguments + " > output 2> errors < /dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents_of(folder / "output"),
            contents_of(folder / "errors")};
  }

  // The code, one line "svi-data: error: …" that holds all the parts, and no output file left.
  void expect_refusal(const std::string& arguments, int code, const std::vector<std::string>& parts) const {
    SCOPED_TRACE(arguments);
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << outcome.errors;
    EXPECT_TRUE(outcome.errors.starts_with("svi-data: error: ")) << outcome.errors;
    EXPECT_EQ(outcome.errors.find('\n'), outcome.errors.size() - 1) << outcome.errors;
    for (const std::string& part : parts)
      EXPECT_NE(outcome.errors.find(part), std::string::npos) << outcome.errors;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      EXPECT_EQ(entry.path().string().find("out.h5"), std::string::npos) << entry.path();
    }
  }

  const ScratchFolder folder;
};

constexpr const char* docword = "3\n2\n3\n1 1 3\n1 2 1\n3 2 5\n";

TEST_F(SviData, TellsHelpWithExamplesAndVersion) {
  for (const char* arguments : {"--help", "import --help", "info --help", "split --help", "fetch --help"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_NE(outcome.output.find("Example"), std::string::npos) << arguments << outcome.output;
    EXPECT_EQ(outcome.errors, "");
  }
  const std::string text_help = run("import text --help").output;
  for (const char* part :
       {"--max-df", "the files to read", "in lower case", "digits", "at least 1)", "0 to 1)"})
    EXPECT_NE(text_help.find(part), std::string::npos) << part << text_help;
  EXPECT_EQ(text_help.find("9223372036854775807"), std::string::npos) << text_help;
  EXPECT_EQ(text_help.find("import idx"), std::string::npos) << text_help;
  EXPECT_EQ(run("--version").output, "svi-data " SVI_VERSION "\n");
}

TEST_F(SviData, RefusesAWrongCommandLine) {
  expect_refusal("", 64, {"svi-data --help"});
  expect_refusal("impart", 64, {"impart"});
  expect_refusal("import", 64, {"svi-data import --help"});
  expect_refusal("import uci a.txt", 64, {"--output", "svi-data import uci --help"});
  expect_refusal("import uci --output out.h5", 64, {"input"});
  expect_refusal("import text a --output out.h5 --max-df 1.5", 64, {"--max-df", "1.5"});
  expect_refusal("import text a --output out.h5 --min-df 0", 64,
                 {"--min-df", "found 0, expected at least 1"});
  expect_refusal("import text a --output out.h5 --min-df few", 64, {"--min-df", "few"});
  expect_refusal("import text a --output out.h5 --max-df nan", 64, {"--max-df"});
  expect_refusal("import text a --output ''", 64, {"--output is empty"});
  expect_refusal("split a.h5 --output-dir ''", 64, {"--output-dir is empty"});
  expect_refusal("fetch reuters --directory ''", 64, {"--directory is empty"});
  expect_refusal("split a.h5 --fraction 1 --output-dir d", 64, {"--fraction is 1"});
  expect_refusal("fetch mnist", 64, {"\"mnist\"", "fashion-mnist"});
}

TEST_F(SviData, ImportsAndDescribesCounts) {
  folder.write("docword.txt", docword);
  folder.write("vocab.txt", "left\nright\n");
  const Outcome imported = run("import uci docword.txt --vocabulary vocab.txt --output out.h5");
  EXPECT_EQ(imported.code, 0) << imported.errors;
  EXPECT_EQ(imported.output, "wrote out.h5: 3 documents, 2 words, 3 entries, 9 tokens\n");

  const Outcome described = run("info out.h5 --json");
  ASSERT_EQ(described.code, 0) << described.errors;
  const auto json = nlohmann::json::parse(described.output);
  EXPECT_EQ(json["layout"], "counts");
  EXPECT_EQ(json["rows"], 3);
  EXPECT_EQ(json["columns"], 2);
  EXPECT_EQ(json["entries"], 3);
  EXPECT_EQ(json["tokens"], 9);
  EXPECT_EQ(json["empty_documents"], 1);
  EXPECT_DOUBLE_EQ(json["density"], 0.5);
  EXPECT_EQ(json["vocabulary_head"], (std::vector<std::string>{"left", "right"}));
  EXPECT_EQ(json["fingerprint"].get<std::string>().size(), 64U);
  EXPECT_EQ(json["size_bytes"], std::filesystem::file_size(folder / "out.h5"));

  const std::string text = run("info out.h5").output;
  for (const char* line : {"documents        3\n", "tokens           9\n", "empty documents  1\n",
                           "vocabulary       left right\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << text;
  }
}

// The same three documents in every format of counts, by the program.
TEST_F(SviData, ImportsEachFormatOfCounts) {
  folder.write("vocab.txt", "left\nright\n");
  folder.write("features.tsv", "G1\tleft\tgene\nG2\tright\tgene\n");
  folder.write("barcodes.tsv", "a\nb\nc\n");
  folder.write_gzip("docword.gz", docword);
  folder.write("a.mtx", "%%MatrixMarket matrix coordinate real general\n2 3 3\n1 1 3\n2 1 1.0\n2 3 5\n");
  folder.write("a.svm", "1 1:3 2:1\n-1\n1 2:5\n");
  folder.write("a.ldac", "2 0:3 1:1\n0\n1 1:5\n");
  folder.write("a.vw", "1 'a|w left:3 right |v x\n| \n-1 'c|w right:5\n");
  for (const char* arguments :
       {"uci docword.gz --vocabulary vocab.txt", "svmlight a.svm --vocabulary vocab.txt",
        "lda-c a.ldac --vocabulary vocab.txt", "vw a.vw --namespace w",
        "mtx a.mtx --transposed --vocabulary features.tsv --names-column 2"}) {
    const Outcome imported = run(std::string("import ") + arguments + " --output counts.h5");
    EXPECT_EQ(imported.output, "wrote counts.h5: 3 documents, 2 words, 3 entries, 9 tokens\n")
        << imported.errors;
    const auto json = nlohmann::json::parse(run("info counts.h5 --json").output);
    EXPECT_EQ(json["vocabulary_head"], (std::vector<std::string>{"left", "right"})) << arguments;
    EXPECT_EQ(json["empty_documents"], 1) << arguments;
  }
  EXPECT_EQ(run("import h5ad counts.h5 --output again.h5 --document-ids barcodes.tsv").output,
            "wrote again.h5: 3 documents, 2 words, 3 entries, 9 tokens\n");
  expect_refusal("import h5ad counts.h5 --layer raw --output out.h5", 65, {"counts.h5: /layers: missing"});
  expect_refusal("import 10x counts.h5 --output out.h5", 65, {"counts.h5", "matrix"});
  expect_refusal("import 10x counts.h5 --names gene --output out.h5", 64, {"--names", "gene"});
  expect_refusal("import mtx a.mtx --output out.h5 --names-column -1", 64, {"--names-column"});
  expect_refusal("import mtx a.mtx --output a.mtx", 64, {"is the input a.mtx"});
  expect_refusal("import mtx a.mtx --document-ids barcodes.tsv --output out.h5", 65,
                 {"barcodes.tsv", "3 ids", "2 documents"});
  expect_refusal("import svmlight a.vw --output out.h5", 65, {"a.vw, line 1", "word:count"});
  expect_refusal("import vw a.svm --output out.h5", 65, {"a.svm, line 1", "bar"});
}

TEST_F(SviData, ImportsAndDescribesImages) {
  using namespace std::string_literals;
  folder.write("images", "\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02"s + "\x00\x02\x04\x06"s);
  folder.write_gzip("labels.gz", "\0\0\x08\x01\0\0\0\x02\x05\x05"s);
  ASSERT_EQ(run("import idx images --labels labels.gz --output out.h5").code, 0);
  const auto json = nlohmann::json::parse(run("info out.h5 --json").output);
  EXPECT_EQ(json["layout"], "dense");
  EXPECT_EQ(json["type"], "uint8");
  EXPECT_EQ(json["feature_shape"], (std::vector<int>{1, 2}));
  EXPECT_DOUBLE_EQ(json["mean"], 3.0);
  EXPECT_DOUBLE_EQ(json["density"], 0.75);
  EXPECT_EQ(json["labels"], (nlohmann::json{{"5", 2}}));
}

TEST_F(SviData, ImportsTextWithItsOptions) {
  folder.write("a.jsonl", "{\"t\": \"red green\"}\n{\"t\": \"red green blue\"}\n{\"t\": \"green\"}\n");
  EXPECT_EQ(run("import jsonl a.jsonl --field t --min-df 2 --max-df 0.7 --output out.h5").output,
            "wrote out.h5: 3 documents, 1 words, 2 entries, 2 tokens\n");
  folder.write("a.txt", "red green\nred of\n");
  EXPECT_EQ(run("import text --lines a.txt --min-df 1 --max-df 1 --keep 1 --output out.h5").output,
            "wrote out.h5: 2 documents, 1 words, 2 entries, 2 tokens\n");
  EXPECT_EQ(run("import text a.txt a.jsonl --stop-words none --min-df 1 --max-df 1 --output out.h5").output,
            "wrote out.h5: 2 documents, 4 words, 6 entries, 10 tokens\n");
}

TEST_F(SviData, RefusesBadInputNamingFileAndLineAndWritesNothing) {
  folder.write("bad.txt", "3\n2\n3\n1 1 3\n9 2 1\n3 2 5\n");
  expect_refusal("import uci bad.txt --output out.h5", 65, {"bad.txt, line 5", "\"9\"", "from 1 to 3"});
  expect_refusal("import lda-c bad.txt --output out.h5", 65, {"bad.txt, line 1"});
  expect_refusal("import idx bad.txt --output out.h5", 65, {"bad.txt", "IDX"});
  expect_refusal("import jsonl bad.txt --output out.h5", 65, {"bad.txt, line 1", "JSON object"});
  expect_refusal("import text bad.txt --output out.h5", 65, {"no word is left"});
  expect_refusal("import text nowhere.txt --output out.h5", 66, {"nowhere.txt"});
  expect_refusal("info bad.txt", 65, {"bad.txt"});
  expect_refusal("info nowhere.h5", 66, {"nowhere.h5"});
}

TEST_F(SviData, SaysWhatCannotBeWritten) {
  folder.write("docword.txt", docword);
  expect_refusal("import uci docword.txt --output nowhere/x.h5", 73, {"nowhere/x.h5", "no folder"});
  std::filesystem::create_directory(folder / "folder");
  expect_refusal("import uci docword.txt --output folder", 73, {"folder"});
  EXPECT_EQ(run("import uci docword.txt --output out.h5").code, 0);
  const std::string full = "'" SVI_BINARY_DIR "/svi-data' info '" + (folder / "out.h5") +
                           "' > /dev/full 2> '" + (folder / "errors") + "'";
  EXPECT_EQ(WEXITSTATUS(std::system(full.c_str())), 73);
  EXPECT_NE(contents_of(folder / "errors").find("standard output"), std::string::npos);
}

TEST_F(SviData, NeverWritesOverAnInput) {
  folder.write("docword.txt", docword);
  folder.write("words.txt", "left\nright\n");
  std::filesystem::create_symlink("docword.txt", folder / "link.txt");
  expect_refusal("import uci docword.txt --output docword.txt", 64, {"docword.txt", "is the input"});
  expect_refusal("import uci docword.txt --output ./docword.txt", 64, {"is the input docword.txt"});
  expect_refusal("import uci docword.txt --output link.txt", 64, {"is the input docword.txt"});
  expect_refusal("import uci docword.txt --vocabulary words.txt -o words.txt", 64,
                 {"is the input words.txt"});
  expect_refusal("import text words.txt --lines --stop-words docword.txt -o docword.txt", 64,
                 {"is the input docword.txt"});
  EXPECT_EQ(contents_of(folder / "docword.txt"), docword);
  EXPECT_EQ(contents_of(folder / "words.txt"), "left\nright\n");

  ASSERT_EQ(run("import uci docword.txt --output train.h5").code, 0);
  const std::string before = contents_of(folder / "train.h5");
  expect_refusal("split train.h5 --fraction 0.5 --output-dir .", 64, {"is the input train.h5"});
  EXPECT_EQ(contents_of(folder / "train.h5"), before);
}

TEST_F(SviData, SaysHowToNameTheFilesOfAFolder) {
  std::filesystem::create_directory(folder / "articles");
  expect_refusal("import text articles --output out.h5", 66, {"articles is a folder", "articles/*.txt"});
  expect_refusal("import jsonl articles/ --output out.h5", 66, {"is a folder", "articles/*.jsonl"});
  expect_refusal("import uci articles --output out.h5", 66, {"articles is a folder"});
}

TEST_F(SviData, KeepsItsCodesWithoutStandardStreams) {
  folder.write("docword.txt", docword);
  for (const char* target : {"2>&-", "2>/dev/full"}) {
    EXPECT_EQ(run(std::string("info docword.txt ") + target + " #").code, 65) << target;
    EXPECT_EQ(run(std::string("info nowhere.h5 ") + target + " #").code, 66) << target;
  }
  EXPECT_EQ(run("import uci docword.txt --output out.h5 <&- >&- 2>&- #").code, 0);
  EXPECT_EQ(run("info out.h5").code, 0);
}

TEST_F(SviData, SplitsIntoFilesThatItCanDescribe) {
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += "red green green blue blue blue\n";
  folder.write("a.txt", lines);
  ASSERT_EQ(run("import text --lines a.txt --max-df 1 --output all.h5").code, 0);
  const Outcome split = run("split all.h5 --fraction 0.25 --split-seed 3 --output-dir parts");
  ASSERT_EQ(split.code, 0) << split.errors;
  const auto info = [&](const char* name) {
    return nlohmann::json::parse(run("info --json parts/" + std::string(name)).output);
  };
  const auto validation = info("validation.h5");
  EXPECT_EQ(info("train.h5")["rows"].get<int>() + validation["rows"].get<int>(), 40);
  EXPECT_EQ(info("validation-observed.h5")["tokens"].get<double>() +
                info("validation-predicted.h5")["tokens"].get<double>(),
            validation["tokens"].get<double>());
  EXPECT_EQ(validation["tokens"].get<double>(), 6 * validation["rows"].get<double>());
}

TEST_F(SviData, FetchWithoutAptSaysHowToImportByHand) {
  const Outcome outcome = run("fetch reuters --directory data", "PATH=/nowhere");
  EXPECT_EQ(outcome.code, 66) << outcome.errors;
  EXPECT_NE(outcome.errors.find("cannot start apt-get"), std::string::npos) << outcome.errors;
  EXPECT_NE(outcome.errors.find("svi-data import"), std::string::npos) << outcome.errors;
}

}  // namespace
}  // namespace svi
