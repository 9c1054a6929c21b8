#include "svi/io/atomic_file.hpp"

#include <sys/stat.h>

#include "io/folder.hpp"

namespace svi::io {
namespace {

using test::bytes_of;
using test::expect_error;
using test::Folder;

TEST(AtomicFile, AppearsAtCommitAndNotBefore) {
  const Folder folder;
  const std::string path = folder / "file";
  test::put_bytes(path, "old");
  {
    AtomicFile file(path);
    EXPECT_EQ(std::filesystem::path(file.temporary_path()).parent_path(), folder.path());
    test::put_bytes(file.temporary_path(), "new");
    EXPECT_EQ(bytes_of(path), "old");
    file.commit();
  }
  EXPECT_EQ(bytes_of(path), "new");
  EXPECT_EQ(folder.files(), 1U);
}

TEST(AtomicFile, WithoutCommitTheOldFileStays) {
  const Folder folder;
  test::put_bytes(folder / "file", "old");
  {
    const AtomicFile file(folder / "file");
    test::put_bytes(file.temporary_path(), "half");
    EXPECT_EQ(folder.files(), 2U);
  }
  EXPECT_EQ(bytes_of(folder / "file"), "old");
  EXPECT_EQ(folder.files(), 1U);
}

TEST(AtomicFile, TwoWritersOfOneFileDoNotMeet) {
  const Folder folder;
  AtomicFile first(folder / "file");
  AtomicFile second(folder / "file");
  test::put_bytes(first.temporary_path(), "first");
  test::put_bytes(second.temporary_path(), "second");
  second.commit();
  first.commit();
  EXPECT_EQ(bytes_of(folder / "file"), "first");
}

TEST(AtomicFile, RefusesWhereNothingCanBeWritten) {
  const Folder folder;
  expect_error(ExitCode::cannot_write,
               {folder / "no/file", "No such file or directory", "the folder must exist"},
               [&] { AtomicFile(folder / "no/file"); });
  expect_error(ExitCode::cannot_write, {folder.path(), "Is a directory"}, [&] { AtomicFile(folder.path()); });
  test::put_bytes(folder / "plain", "");
  expect_error(ExitCode::cannot_write, {"Not a directory"}, [&] { AtomicFile(folder / "plain/file"); });
}

TEST(AtomicFile, FollowsALinkAndReplacesNoDeviceOrPipe) {
  const Folder folder;
  test::put_bytes(folder / "target", "old");
  std::filesystem::create_symlink("target", folder / "link");
  write_text(folder / "link", "new");
  EXPECT_EQ(bytes_of(folder / "target"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_error(ExitCode::cannot_write, {folder / "pipe", "no regular file"},
               [&] { write_text(folder / "pipe", "new"); });
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
  EXPECT_EQ(folder.files(), 3U);
}

TEST(Endings, AreThoseThatCanBeWritten) {
  EXPECT_EQ(require_ending("folder.png/a.b.h5", {".h5ad", ".h5"}), ".h5");
  EXPECT_EQ(require_ending("a.png", {".png"}), ".png");
  const auto requiring = [](const std::string& path, const std::vector<std::string>& endings) {
    return [path, endings] { require_ending(path, endings); };
  };
  expect_error(ExitCode::usage, {"a.csv ends in \".csv\", expected .h5ad, .h5 or .tsv"},
               requiring("a.csv", {".h5ad", ".h5", ".tsv"}));
  expect_error(ExitCode::usage, {"ends in \"\", expected .json or .html"},
               requiring("folder.html/a", {".json", ".html"}));
  expect_error(ExitCode::usage, {"ends in \".PNG\", expected .png"}, requiring("a.PNG", {".png"}));
}

TEST(Text, ComesBackWhole) {
  const Folder folder;
  const std::string text("two\nlines\0and a zero", 20);
  write_text(folder / "text", text);
  EXPECT_EQ(read_text(folder / "text"), text);
  write_text(folder / "text", "");
  EXPECT_EQ(read_text(folder / "text"), "");
  const std::filesystem::path here = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_text("bare name", "x");
  std::filesystem::current_path(here);
  EXPECT_EQ(read_text(folder / "bare name"), "x");
}

TEST(Text, MissingInputIsNamed) {
  const Folder folder;
  expect_error(ExitCode::missing_input, {folder / "none", "No such file"},
               [&] { read_text(folder / "none"); });
  expect_error(ExitCode::missing_input, {"is a folder"}, [&] { read_text(folder.path()); });
}

TEST(Text, AFullDiskLeavesTheOldFile) {
  const Folder folder;
  write_text(folder / "text", "old");
  {
    const test::FileSizeLimit limit(1000);
    expect_error(ExitCode::cannot_write, {folder / "text", "File too large"},
                 [&] { write_text(folder / "text", std::string(5000, 'x')); });
  }
  EXPECT_EQ(read_text(folder / "text"), "old");
  EXPECT_EQ(folder.files(), 1U);
}

}  // namespace
}  // namespace svi::io
