#include "svi/data/fetch.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "import/scratch.hpp"
#include "svi/data/child_process.hpp"
#include "svi/data/data_file.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {
namespace {

using test::expect_error;
using test::ScratchFolder;

// Sets PATH for one test.
class PathSetting {
 public:
  explicit PathSetting(const std::string& path) : before_(std::getenv("PATH")) {
    setenv("PATH", path.c_str(), 1);
  }
  ~PathSetting() { setenv("PATH", before_.c_str(), 1); }
  PathSetting(const PathSetting&) = delete;
  PathSetting& operator=(const PathSetting&) = delete;

 private:
  std::string before_;
};

void write_program(const ScratchFolder& folder, const std::string& name, const std::string& body) {
  const auto path = folder.write(name, "#!/bin/sh\n" + body);
  ASSERT_EQ(chmod(path.c_str(), 0755), 0);
}

void write_small_corpus(const std::string& path) {
  write_counts(path, {.starts = {0, 1}, .words = {0}, .counts = {1}}, {"word"}, {});
}

const auto silent = [](const std::string&) {};

TEST(ChildProcess, PassesArgumentsVerbatimAndLogsOutput) {
  const ScratchFolder folder;
  run_child({"printf", "%s|", "two words", "$HOME", "; exit 3", "*"}, folder.path(), folder / "log");
  EXPECT_NE(test::contents_of(folder / "log").find("two words|$HOME|; exit 3|*|"), std::string::npos);
}

TEST(ChildProcess, RunsInTheFolderGiven) {
  const ScratchFolder folder;
  run_child({"touch", "here"}, folder.path(), folder / "log");
  EXPECT_TRUE(std::filesystem::exists(folder / "here"));
}

TEST(ChildProcess, TellsCommandCodeAndLastLinesOfAFailure) {
  const ScratchFolder folder;
  const auto fails = [&] {
    run_child({"sh", "-c", "seq 1 9; echo what went wrong >&2; exit 7"}, folder.path(), folder / "log");
  };
  expect_error(ExitCode::missing_input, {"sh -c", "code 7", "8 | 9 | what went wrong", folder / "log"},
               fails);
  expect_error(ExitCode::missing_input, {"no-such-program-here", "No such file"},
               [&] { run_child({"no-such-program-here"}, folder.path(), folder / "log"); });
  expect_error(ExitCode::missing_input, {"code 137"}, [&] {
    run_child({"sh", "-c", "kill -9 $$"}, folder.path(), folder / "log");
  });
}

TEST(Fetch, SaysThatThereIsNoAptAndLeavesOnlyTheLog) {
  const ScratchFolder folder;
  const PathSetting nothing(folder / "empty");
  for (const char* name : {"fashion-mnist", "debian-descriptions", "linux-doc", "reuters"}) {
    expect_error(ExitCode::missing_input, {name, "cannot start apt-get", "svi-data import"},
                 [&] { fetch(name, folder / "data", silent); });
    for (const auto& entry : std::filesystem::directory_iterator(folder / "data")) {
      EXPECT_EQ(entry.path().extension(), ".log") << entry.path();
    }
  }
}

TEST(Fetch, RefusesAnUnknownNameAndAFolderThatCannotBe) {
  const ScratchFolder folder;
  expect_error(ExitCode::usage, {"\"mnist\"", "fashion-mnist, debian-descriptions, linux-doc, reuters"},
               [&] { fetch("mnist", folder.path(), silent); });
  const auto file = folder.write("file", "");
  expect_error(ExitCode::cannot_write, {file}, [&] { fetch("reuters", file + "/data", silent); });
}

TEST(Fetch, LeavesAValidFileAsItIs) {
  const ScratchFolder folder;
  write_small_corpus(folder / "reuters.h5");
  const auto before = test::contents_of(folder / "reuters.h5");
  const PathSetting nothing(folder / "empty");
  std::string told;
  fetch("reuters", folder.path(), [&](const std::string& line) { told += line; });
  EXPECT_NE(told.find("reuters.h5 is there and valid"), std::string::npos) << told;
  EXPECT_EQ(test::contents_of(folder / "reuters.h5"), before);
  EXPECT_FALSE(std::filesystem::exists(folder / "fetch-reuters.log"));
}

TEST(Fetch, DoesNotTakeADamagedFileForValidNorRemovesIt) {
  const ScratchFolder folder;
  folder.write("reuters.h5", "not HDF5");
  const PathSetting nothing(folder / "empty");
  expect_error(ExitCode::missing_input, {"apt-get"}, [&] { fetch("reuters", folder.path(), silent); });
  EXPECT_EQ(test::contents_of(folder / "reuters.h5"), "not HDF5");
}

TEST(Fetch, NamesTheCommandThatFailedAndItsLastLines) {
  const ScratchFolder folder;
  write_program(folder, "apt-get",
                "case \"$*\" in *download*) echo 'E: Unable to locate package weka'; exit 100;; esac\n");
  const PathSetting ours(folder.path() + ":/usr/bin:/bin");
  expect_error(ExitCode::missing_input,
               {"reuters", "download weka", "code 100", "E: Unable to locate package weka"},
               [&] { fetch("reuters", folder / "data", silent); });
  expect_error(ExitCode::missing_input, {"debian-descriptions", "no package lists"},
               [&] { fetch("debian-descriptions", folder / "data", silent); });
}

TEST(Fetch, RefusesImagesWithAnotherChecksum) {
  const ScratchFolder folder;
  write_program(folder, "apt-get",
                "case \"$*\" in *download*) touch dataset-fashion-mnist_1_all.deb;; esac\n");
  write_program(folder, "dpkg",
                "mkdir -p \"$3/usr/share/datasets/fashion-mnist\"\n"
                "echo other > \"$3/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz\"\n"
                "echo other > \"$3/usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz\"\n");
  const PathSetting ours(folder.path() + ":/usr/bin:/bin");
  expect_error(ExitCode::bad_data, {"ubyte.gz has SHA-256", "expected", "nothing was imported"},
               [&] { fetch("fashion-mnist", folder / "data", silent); });
  EXPECT_FALSE(std::filesystem::exists(folder / "data/fashion-mnist-train.h5"));
  EXPECT_FALSE(std::filesystem::exists(folder / "data/.fetch-fashion-mnist"));
}

TEST(Fetch, ImportsTheDistinctArticlesOfThePackage) {
  const ScratchFolder folder;
  folder.write(
      "articles.arff",
      "@attribute Text string\n@attribute class {0,1}\n@data\n"
      "'Wheat corn &lt;prices>\\n REUTER\\n&#3;',0\n'wheat oil',1\n'wheat corn oil',1\n"
      "'corn oil wheat',0\n'wheat prices corn',1\n'gold',0\n'silver',0\n'tin',0\n'copper',0\n'oil prices',0\n"
      "'oil prices corn',0\n'prices',0\n");
  write_program(folder, "apt-get", "case \"$*\" in *download*) touch weka_1_all.deb;; esac\n");
  write_program(folder, "dpkg",
                "mkdir -p \"$3/usr/share/doc/weka/examples\"\nfor part in train test; do cp '" +
                    folder.path() +
                    "/articles.arff' \"$3/usr/share/doc/weka/examples/ReutersGrain-$part.arff\"; done\n");
  const PathSetting ours(folder.path() + ":/usr/bin:/bin");
  fetch("reuters", folder / "data", silent);
  const DataFile file(folder / "data/reuters.h5");
  EXPECT_EQ(file.facts().rows, 12);  // the second file repeats them all
  EXPECT_EQ(file.facts().vocabulary, (std::vector<std::string>{"corn", "oil", "prices", "wheat"}));
  const auto rows = std::get<CountRows>(file.read(0, 1));
  EXPECT_EQ(rows.words, (std::vector<std::int32_t>{0, 2, 3}));
}

// An apt-get whose update brings the given packages' names, and a dpkg that unpacks a folder of texts.
void write_linux_archive(const ScratchFolder& folder, const std::string& packages) {
  write_program(folder, "apt-get",
                "lists=$(echo \"$*\" | sed 's/.*Dir::State::lists=\\([^ ]*\\).*/\\1/')\n"
                "case \"$*\" in\n"
                "*update*) printf 'Origin: Debian\\nSuite: stable\\n' > $lists/h_dists_s_InRelease\n"
                "  for name in " +
                    packages +
                    "; do printf \"Package: $name\\n\\n\"; done"
                    " > $lists/h_dists_s_main_binary-all_Packages;;\n"
                    "*download*) for last; do :; done; touch ${last}_1_all.deb;;\nesac\n");
  write_program(folder, "dpkg",
                "case \"$2\" in */linux-doc-6.12_*) ;; *) exit 9;; esac\n"
                "target=\"$3/usr/share/doc/linux-doc-6.12/Documentation\"\n"
                "mkdir -p \"$target\" && cp -r '" +
                    folder.path() + "/texts/.' \"$target\"\n");
}

TEST(Fetch, ImportsTheTextsOfTheNewestKernelDocumentation) {
  const ScratchFolder folder;
  for (const char* part : {"texts/mm", "texts/translations/de", "texts/devicetree"})
    std::filesystem::create_directories(folder / part);
  for (const char* name : {"b.rst.gz", "mm/ksm.rst.gz", "mm/a.txt.gz", "mm/b.txt.gz", "c.txt.gz"})
    folder.write_gzip(std::string("texts/") + name, "kernel pages\nmerge\n");
  for (const char* name : {"d.rst", "e.txt", "f.txt", "g.txt", "h.txt", "i.txt"})
    folder.write(std::string("texts/") + name, "other scheduler\n");
  folder.write_gzip("texts/translations/de/index.rst.gz", "pages merge kernel");
  folder.write_gzip("texts/devicetree/x.yaml.gz", "pages merge kernel");
  std::filesystem::create_symlink("mm/ksm.rst.gz", folder / "texts/link.rst.gz");
  write_linux_archive(folder,
                      "linux-doc linux-doc-6.1 linux-doc-6.12 linux-doc-6.9 linux-doc-6.12-extra linux");
  const PathSetting ours(folder.path() + ":/usr/bin:/bin");
  fetch("linux-doc", folder / "data", silent);
  const DataFile file(folder / "data/linux-doc.h5");
  EXPECT_EQ(file.facts().vocabulary, (std::vector<std::string>{"kernel", "merge", "pages"}));
  EXPECT_EQ(file.facts().entries, 15);
  const auto h5 = io::Hdf5File::open(folder / "data/linux-doc.h5");
  EXPECT_EQ(h5.group("obs").dataset("_index").read_texts(),
            (std::vector<std::string>{"b.rst", "c.txt", "d.rst", "e.txt", "f.txt", "g.txt", "h.txt", "i.txt",
                                      "mm/a.txt", "mm/b.txt", "mm/ksm.rst"}));
}

TEST(Fetch, SaysThatTheListsHaveNoKernelDocumentation) {
  const ScratchFolder folder;
  write_linux_archive(folder, "linux-doc linux-docs-6.1");
  const PathSetting ours(folder.path() + ":/usr/bin:/bin");
  expect_error(ExitCode::missing_input, {"linux-doc", "no package linux-doc-VERSION"},
               [&] { fetch("linux-doc", folder / "data", silent); });
}

}  // namespace
}  // namespace svi::data
