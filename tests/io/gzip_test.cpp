#include "svi/io/gzip.hpp"

#include <zlib.h>

#include <vector>

#include "io/folder.hpp"

namespace svi::io {
namespace {

using test::expect_error;
using test::Folder;

void put_gzip(const std::string& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())), static_cast<int>(bytes.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
}

std::vector<std::string> lines_of(const std::string& path) {
  InputFile file(path);
  std::vector<std::string> lines;
  for (std::string line; file.read_line(line);) lines.push_back(line);
  EXPECT_EQ(file.line_number(), std::ssize(lines));
  return lines;
}

// Longer than the buffer, so that lines cross its end.
std::string many_lines(std::vector<std::string>& lines) {
  std::string text;
  for (int i = 0; i < 60000; ++i) {
    lines.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 17), 'a'));
    text += lines.back() + (i % 3 == 0 ? "\r\n" : "\n");
  }
  return text;
}

TEST(InputFile, ReadsLinesPlainAndCompressed) {
  const Folder folder;
  std::vector<std::string> lines;
  const std::string text = many_lines(lines);
  test::put_bytes(folder / "plain.gz", text);  // the name does not matter
  put_gzip(folder / "compressed", text);
  EXPECT_EQ(lines_of(folder / "plain.gz"), lines);
  EXPECT_EQ(lines_of(folder / "compressed"), lines);
}

TEST(InputFile, LastLineNeedsNoEnd) {
  const Folder folder;
  test::put_bytes(folder / "a", "one\n\ntwo");
  test::put_bytes(folder / "b", "one\n\ntwo\n");
  test::put_bytes(folder / "empty", "");
  EXPECT_EQ(lines_of(folder / "a"), (std::vector<std::string>{"one", "", "two"}));
  EXPECT_EQ(lines_of(folder / "b"), (std::vector<std::string>{"one", "", "two"}));
  EXPECT_TRUE(lines_of(folder / "empty").empty());
}

TEST(InputFile, ReadsBytesAfterLines) {
  const Folder folder;
  std::string text = "header\n";
  for (int i = 0; i < 600000; ++i) text += static_cast<char>(i * 7);
  put_gzip(folder / "f", text);
  InputFile file(folder / "f");
  std::string line;
  ASSERT_TRUE(file.read_line(line));
  EXPECT_EQ(line, "header");
  std::string bytes(600000, '\0');
  file.read_exactly(std::as_writable_bytes(std::span(bytes)), "pixels");
  EXPECT_EQ(bytes, text.substr(7));
  EXPECT_EQ(file.read(std::as_writable_bytes(std::span(bytes))), 0U);
}

TEST(InputFile, EndingEarlyIsAnError) {
  const Folder folder;
  test::put_bytes(folder / "f", "12345");
  InputFile file(folder / "f");
  std::string bytes(8, '\0');
  expect_error(ExitCode::bad_data, {folder / "f", "ends within the header", "8 bytes expected, 5 found"},
               [&] { file.read_exactly(std::as_writable_bytes(std::span(bytes)), "the header"); });
}

TEST(InputFile, CompressedFileCutAnywhereIsAnError) {
  const Folder folder;
  put_gzip(folder / "f", "some words\nand more words\nand yet more\n");
  const std::string whole = test::bytes_of(folder / "f");
  ASSERT_GT(whole.size(), 20U);
  for (std::size_t length = 3; length < whole.size(); ++length) {
    test::put_bytes(folder / "cut", whole.substr(0, length));
    expect_error(ExitCode::bad_data, {folder / "cut", "cut short or damaged"},
                 [&] { lines_of(folder / "cut"); });
  }
}

TEST(InputFile, FlippedBitOfACompressedFileIsAnError) {
  const Folder folder;
  put_gzip(folder / "f", "some words\nand more words\nand yet more\n");
  const std::string whole = test::bytes_of(folder / "f");
  for (std::size_t place = 10; place < whole.size(); ++place) {  // behind the header's time and flags
    std::string flipped = whole;
    flipped[place] = static_cast<char>(flipped[place] ^ 4);
    test::put_bytes(folder / "flipped", flipped);
    expect_error(ExitCode::bad_data, {"cut short or damaged"}, [&] { lines_of(folder / "flipped"); });
  }
}

TEST(InputFile, MissingInputIsNamed) {
  const Folder folder;
  expect_error(ExitCode::missing_input, {folder / "none", "No such file"},
               [&] { InputFile(folder / "none"); });
  expect_error(ExitCode::missing_input, {folder.path(), "is a folder"}, [&] { InputFile(folder.path()); });
}

}  // namespace
}  // namespace svi::io
