// Count files: what is written comes back, and each way a file can be wrong has its message.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "io/folder.hpp"
#include "svi/data/data_file.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {
namespace {

using test::expect_error;
using test::Folder;

// A count file in pieces, so that each piece can be wrong.
struct Pieces {
  std::vector<std::int64_t> shape{4, 3};
  std::vector<std::int64_t> starts{0, 2, 2, 3, 6};
  std::vector<std::int64_t> words{0, 2, 1, 0, 1, 2};
  std::vector<double> counts{1, 2, 5, 1, 1, 7};
  std::vector<std::string> vocabulary{"a", "b", "c"};
  std::string encoding = "csr_matrix";
  std::string left_out;
};

template <typename T, typename Value>
void put(io::Hdf5Group& group, const char* name, const std::vector<Value>& values) {
  const std::vector<T> converted(values.begin(), values.end());
  group.create_dataset<T>(name, {std::ssize(values)}, io::Storage::contiguous)
      .write(std::span<const T>(converted));
}

template <typename Index = std::int32_t, typename Count = float>
void write(const std::string& path, const Pieces& pieces) {
  io::Hdf5File file = io::Hdf5File::create(path);
  io::Hdf5Group x = file.create_group("X");
  if (pieces.left_out != "encoding-type")
    x.set_attribute("encoding-type", pieces.encoding, io::TextForm::variable);
  x.set_attribute("shape", std::span<const std::int64_t>(pieces.shape));
  put<Index>(x, "indptr", pieces.starts);
  if (pieces.left_out != "indices") put<Index>(x, "indices", pieces.words);
  put<Count>(x, "data", pieces.counts);
  if (pieces.left_out != "var")
    file.create_group("var").create_texts("_index", pieces.vocabulary, io::TextForm::variable);
  file.close();
}

class CountFile : public testing::Test {
 protected:
  std::string path() const { return folder_ / "counts.h5"; }
  CountRows read() const {
    const DataFile file(path());
    return std::get<CountRows>(file.read(0, file.facts().rows));
  }
  void refused(const Pieces& pieces, std::vector<std::string> texts) const {
    write<std::int64_t, double>(path(), pieces);
    texts.push_back(path());
    expect_error(ExitCode::bad_data, texts, [this] { read(); });
  }
  Folder folder_;
};

TEST_F(CountFile, ComesBack) {
  const CountRows rows{.starts = {0, 2, 2, 3}, .words = {0, 2, 1}, .counts = {1, 2, 5}};
  write_counts(path(), rows, {"alpha", "bèta", "gamma"}, {"x", "y", "z"});
  const DataFile file(path());
  EXPECT_EQ(file.facts().path, path());
  EXPECT_EQ(file.facts().layout, Layout::counts);
  EXPECT_EQ(file.facts().rows, 3);
  EXPECT_EQ(file.facts().columns, 3);
  EXPECT_EQ(file.facts().feature_shape, std::vector<std::int64_t>{3});
  EXPECT_EQ(file.facts().entries, 3);
  EXPECT_EQ(file.facts().vocabulary, (std::vector<std::string>{"alpha", "bèta", "gamma"}));
  EXPECT_EQ(read().starts, rows.starts);
  EXPECT_EQ(read().words, rows.words);
  EXPECT_EQ(read().counts, rows.counts);
  const auto part = std::get<CountRows>(file.read(1, 3));
  EXPECT_EQ(part.starts, (std::vector<std::int64_t>{0, 0, 1}));
  EXPECT_EQ(part.words, std::vector<std::int32_t>{1});
  EXPECT_EQ(file.entries_before(std::array<std::int64_t, 4>{0, 1, 2, 3}), rows.starts);
  EXPECT_EQ(folder_.files(), 1U);
}

// More entries than one block of reading holds, one document longer than a block.
TEST_F(CountFile, LongFileComesBack) {
  constexpr std::int32_t words = 1500000;
  CountRows rows;
  for (const std::int32_t length : {700000, 600000, 10, 0, words, 3}) {
    for (std::int32_t i = 0; i < length; ++i) {
      rows.words.push_back(i);
      rows.counts.push_back(static_cast<float>(1 + i % 5));
    }
    rows.starts.push_back(std::ssize(rows.words));
  }
  write_counts(path(), rows, std::vector<std::string>(words, "w"), {});
  const CountRows found = read();
  EXPECT_EQ(found.starts, rows.starts);
  EXPECT_TRUE(found.words == rows.words);
  EXPECT_TRUE(found.counts == rows.counts);
}

TEST_F(CountFile, EveryNumberTypeIsRead) {
  const Pieces pieces;
  const auto check = [&] {
    const CountRows rows = read();
    EXPECT_EQ(rows.starts, pieces.starts);
    EXPECT_EQ(rows.words, std::vector<std::int32_t>(pieces.words.begin(), pieces.words.end()));
    EXPECT_EQ(rows.counts, std::vector<float>(pieces.counts.begin(), pieces.counts.end()));
  };
  write<std::int32_t, float>(path(), pieces);
  check();
  write<std::int64_t, double>(path(), pieces);
  check();
  write<std::uint64_t, std::int64_t>(path(), pieces);
  check();
  write<std::uint8_t, std::uint8_t>(path(), pieces);
  check();
}

TEST_F(CountFile, UnsortedRowsAreSortedAndZerosLeftOut) {
  Pieces pieces;
  pieces.words = {2, 0, 1, 2, 0, 1};
  pieces.counts = {1, 2, 0, 3, 4, 0};
  write(path(), pieces);
  const CountRows rows = read();
  EXPECT_EQ(rows.starts, (std::vector<std::int64_t>{0, 2, 2, 2, 4}));
  EXPECT_EQ(rows.words, (std::vector<std::int32_t>{0, 2, 0, 2}));
  EXPECT_EQ(rows.counts, (std::vector<float>{2, 1, 4, 3}));
}

TEST_F(CountFile, NewerTextColumnsAreRead) {
  Pieces pieces;
  pieces.left_out = "var";
  write(path(), pieces);
  io::Hdf5File file = io::Hdf5File::create(folder_ / "new.h5");
  {
    io::Hdf5Group x = file.create_group("X");
    x.set_attribute("encoding-type", "csr_matrix", io::TextForm::variable);
    x.set_attribute("shape", std::span<const std::int64_t>(pieces.shape));
    put<std::int32_t>(x, "indptr", pieces.starts);
    put<std::int32_t>(x, "indices", pieces.words);
    put<float>(x, "data", pieces.counts);
    io::Hdf5Group var = file.create_group("var");
    var.set_attribute("_index", "term", io::TextForm::variable);
    io::Hdf5Group term = var.create_group("term");
    term.set_attribute("encoding-type", "nullable-string-array", io::TextForm::variable);
    term.create_texts("values", pieces.vocabulary, io::TextForm::variable);
  }
  file.close();
  EXPECT_EQ(DataFile(folder_ / "new.h5").facts().vocabulary, pieces.vocabulary);
}

TEST_F(CountFile, MissingOrNoDataFile) {
  expect_error(ExitCode::missing_input, {path(), "No such file"}, [this] { DataFile{path()}; });
  expect_error(ExitCode::missing_input, {"is a folder"}, [this] { DataFile{folder_.path()}; });
  test::put_bytes(path(), "doc word count\n1 1 1\n");
  expect_error(ExitCode::bad_data, {path(), "not an HDF5 file"}, [this] { DataFile{path()}; });
}

TEST_F(CountFile, WrongLayoutSaysWhatItFound) {
  io::Hdf5File file = io::Hdf5File::create(path());
  file.create_group("images");
  file.create_group("labels");
  file.close();
  expect_error(ExitCode::bad_data,
               {path(), "[images, labels]", "X/indptr", "x (dense rows", "svi-data import"},
               [this] { DataFile{path()}; });
}

TEST_F(CountFile, TruncatedAnywhere) {
  write(path(), {});
  const std::string whole = test::bytes_of(path());
  for (std::size_t length = 0; length < whole.size(); length += 211) {
    test::put_bytes(path(), whole.substr(0, length));
    expect_error(ExitCode::bad_data, {path()}, [this] { read(); });
  }
}

TEST_F(CountFile, OtherEncodings) {
  refused({.encoding = "csc_matrix"}, {"/X", "by columns", "tocsr()"});
  refused({.encoding = "dictionary"}, {"\"dictionary\"", "expected \"csr_matrix\""});
  refused({.left_out = "encoding-type"}, {"\"encoding-type\" is missing"});
  refused({.left_out = "indices"}, {"/X/indices", "missing"});
  refused({.left_out = "var"}, {"/var", "missing"});
}

TEST_F(CountFile, RowStarts) {
  refused({.starts = {0, 2, 1, 3, 6}}, {"/X/indptr", "falls from 2 to 1 at element 2"});
  refused({.starts = {0, 2, 2, 6}}, {"/X/indptr", "has 4 elements", "need 5"});
  refused({.starts = {1, 2, 2, 3, 6}}, {"starts at 1, expected 0"});
  refused({.starts = {0, 2, 2, 3, 60}}, {"ends at 60, but indices has 6 entries and data 6"});
  refused({.starts = {0, 2, 2, 3, 5}}, {"ends at 5"});
  refused({.starts = {0, 2, 2, 3, -6}}, {"falls from 3 to -6"});
  refused({.words = {0, 2, 1, 0, 1}}, {"indices has 5 entries and data 6"});
  refused({.counts = {1, 2, 5, 1, 1}}, {"indices has 6 entries and data 5"});
}

TEST_F(CountFile, Shapes) {
  refused({.shape = {4, 2}, .vocabulary = {"a", "b"}},
          {"/X/indices", "row 0", "word number 2, expected 0 to 1"});
  refused({.shape = {4, 3, 1}}, {"\"shape\""});
  refused({.shape = {4, -3}}, {"\"shape\""});
  refused({.shape = {4, 1LL << 40}}, {"\"shape\""});
  refused({.shape = {5, 3}}, {"has 5 elements", "the 5 rows"});
  refused({.vocabulary = {"a", "b"}}, {"var names 2 words, but X has 3 columns"});
}

TEST_F(CountFile, EmptyCorpora) {
  refused({.shape = {0, 3}, .starts = {0}, .words = {}, .counts = {}}, {"empty corpus", "0 documents"});
  refused({.shape = {4, 0}, .vocabulary = {}}, {"empty corpus", "0 words"});
  refused({.starts = {0, 0, 0, 0, 0}, .words = {}, .counts = {}},
          {"empty corpus", "none of the 4 documents"});
}

TEST_F(CountFile, WordNumbers) {
  refused({.words = {0, 2, 1, 0, 1, 3}}, {"/X/indices", "row 3", "word number 3, expected 0 to 2"});
  refused({.words = {0, 2, -1, 0, 1, 2}}, {"row 2", "word number -1"});
  refused({.words = {0, 2, 1, 0, 1LL << 33, 2}}, {"row 3", "word number 8589934592"});
  refused({.words = {0, 2, 1, 1, 0, 1}},
          {"row 3", "names word 1 (\"b\") more than once", "sum_duplicates()"});
}

TEST_F(CountFile, Counts) {
  refused({.counts = {1, 2, -5, 1, 1, 7}},
          {"/X/data", "row 2", "the count -5 of word 1 (\"b\")", "raw counts"});
  refused({.counts = {1, 2, 5, 1, 0.5, 7}}, {"row 3", "the count 0.5"});
  refused({.counts = {std::nan(""), 2, 5, 1, 1, 7}}, {"row 0", "the count nan"});
  refused({.counts = {1, 2, 5, 1, 1, std::numeric_limits<double>::infinity()}}, {"row 3", "the count inf"});
  refused({.counts = {1, 2, 5, 1, 1, 16777217}}, {"the count 16777217", "from 0 to 16777216"});
}

// The rows that the fingerprint looks at are few; the others are checked by whoever reads them.
TEST_F(CountFile, BadRowIsFoundWhenRead) {
  Pieces pieces{.shape = {1000, 3}, .starts = {0}, .words = {}, .counts = {}};
  for (std::int64_t row = 0; row < 1000; ++row) {
    pieces.words.push_back(row % 3);
    pieces.counts.push_back(row == 501 ? -1 : 1);
    pieces.starts.push_back(row + 1);
  }
  write(path(), pieces);
  const DataFile file(path());
  EXPECT_EQ(row_count(file.read(0, 501)), 501);
  EXPECT_EQ(row_count(file.read(502, 1000)), 498);
  expect_error(ExitCode::bad_data, {path(), "row 501"}, [&] { file.read(400, 600); });
  expect_error(ExitCode::internal, {path(), "1000"}, [&] { file.read(400, 1001); });
  expect_error(ExitCode::internal, {path()}, [&] { file.entries_before(std::array<std::int64_t, 1>{1001}); });
}

TEST_F(CountFile, FingerprintSeesEveryPart) {
  write(path(), {});
  const std::string fingerprint = DataFile(path()).facts().fingerprint;
  EXPECT_EQ(fingerprint.size(), 64U);
  std::filesystem::copy_file(path(), folder_ / "copy.h5");
  EXPECT_EQ(DataFile(folder_ / "copy.h5").facts().fingerprint, fingerprint);
  write<std::int64_t, double>(path(), {});  // the same rows in other types
  EXPECT_EQ(DataFile(path()).facts().fingerprint, fingerprint);
  for (const Pieces& other : {Pieces{.vocabulary = {"a", "b", "d"}}, Pieces{.counts = {1, 2, 5, 1, 1, 8}},
                              Pieces{.starts = {0, 2, 3, 3, 6}}, Pieces{.words = {0, 2, 0, 0, 1, 2}}}) {
    write(path(), other);
    EXPECT_NE(DataFile(path()).facts().fingerprint, fingerprint);
  }
}

TEST_F(CountFile, WritingWhatDoesNotMatchIsADefect) {
  const CountRows rows{.starts = {0, 2}, .words = {0, 2}, .counts = {1, 2}};
  expect_error(ExitCode::internal, {path()}, [&] { write_counts(path(), rows, {"a", "b"}, {}); });
  expect_error(ExitCode::internal, {path()}, [&] {
    write_counts(path(), rows, {"a", "b", "c"}, {"x", "y"});
  });
  expect_error(ExitCode::cannot_write, {folder_ / "no/c.h5"}, [&] {
    write_counts(folder_ / "no/c.h5", rows, {"a", "b", "c"}, {});
  });
  write_counts(path(), rows, {"a", "b", "c"}, {});
  const std::string before = test::bytes_of(path());
  {
    const test::FileSizeLimit full(1000);
    expect_error(ExitCode::cannot_write, {path(), "File too large"}, [&] {
      write_counts(path(), rows, {"a", "b", "c"}, {});
    });
  }
  EXPECT_EQ(test::bytes_of(path()), before);
  EXPECT_EQ(folder_.files(), 1U);
}

}  // namespace
}  // namespace svi::data
