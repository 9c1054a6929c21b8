// Files that lie, point elsewhere or are damaged: made with HDF5's own calls, read with ours.
#include <hdf5.h>

#include <array>
#include <numeric>
#include <vector>

#include "io/folder.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::io {
namespace {

using test::expect_error;
using test::Folder;

// A file under construction with HDF5's own calls.
class Hdf5Refusal : public testing::Test {
 protected:
  // Our layer has to make the first call; see silence().
  void SetUp() override { EXPECT_THROW(Hdf5File::open(path()), Error); }

  std::string path() const { return folder_ / "f.h5"; }
  hid_t create() const { return H5Fcreate(path().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT); }

  // An int32 data set "d" with these properties.
  void dataset(const std::vector<hsize_t>& shape, hid_t properties, bool writes) const {
    const hid_t file = create();
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t set = H5Dcreate2(file, "d", H5T_STD_I32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    ASSERT_GE(set, 0);
    if (writes) {
      std::vector<std::int32_t> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
      std::iota(values.begin(), values.end(), 0);
      ASSERT_GE(H5Dwrite(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
    }
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(properties);
    ASSERT_GE(H5Fclose(file), 0);
  }

  void refused(const std::vector<std::string>& texts) const {
    expect_error(ExitCode::bad_data, texts,
                 [this] { Hdf5File::open(path()).dataset("d").read<std::int32_t>(); });
  }

  Folder folder_;
};

hid_t properties() { return H5Pcreate(H5P_DATASET_CREATE); }

hid_t chunked(const std::vector<hsize_t>& chunk) {
  const hid_t list = properties();
  H5Pset_chunk(list, static_cast<int>(chunk.size()), chunk.data());
  return list;
}

TEST_F(Hdf5Refusal, NoFileOrNoHdf5) {
  expect_error(ExitCode::missing_input, {path(), "No such file"}, [this] { Hdf5File::open(path()); });
  expect_error(ExitCode::missing_input, {"is a folder"}, [this] { Hdf5File::open(folder_.path()); });
  test::put_bytes(path(), "");
  expect_error(ExitCode::bad_data, {path(), "is empty"}, [this] { Hdf5File::open(path()); });
  test::put_bytes(path(), std::string(5000, 'x'));
  expect_error(ExitCode::bad_data, {path(), "not an HDF5 file", "file signature not found"},
               [this] { Hdf5File::open(path()); });
}

TEST_F(Hdf5Refusal, TruncatedAnywhere) {
  dataset({20000}, properties(), true);
  const std::string whole = test::bytes_of(path());
  for (std::size_t length = 1; length < whole.size(); length += 997) {
    test::put_bytes(path(), whole.substr(0, length));
    refused({path()});
  }
}

TEST_F(Hdf5Refusal, LinksThatLeaveTheFile) {
  dataset({3}, properties(), true);
  std::filesystem::rename(path(), folder_ / "other.h5");
  const hid_t file = create();
  H5Lcreate_external((folder_ / "other.h5").c_str(), "/d", file, "d", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/d", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  refused({path() + ": /d", "link to somewhere else"});
  const Hdf5File read = Hdf5File::open(path());
  EXPECT_EQ(read.names(), (std::vector<std::string>{"d", "soft"}));
  expect_error(ExitCode::bad_data, {"/soft", "link to somewhere else"}, [&] { read.dataset("soft"); });
  expect_error(ExitCode::bad_data, {"/soft", "link to somewhere else"}, [&] { read.has_group("soft"); });
}

TEST_F(Hdf5Refusal, DataInOtherFiles) {
  test::put_bytes(folder_ / "secret", "0123456789ab");
  const hid_t list = properties();
  H5Pset_external(list, (folder_ / "secret").c_str(), 0, 12);
  dataset({3}, list, false);
  refused({path() + ": /d", "lie in other files"});
}

TEST_F(Hdf5Refusal, VirtualDatasets) {
  dataset({3}, properties(), true);
  std::filesystem::rename(path(), folder_ / "other.h5");
  const hsize_t three = 3;
  const hid_t space = H5Screate_simple(1, &three, nullptr);
  const hid_t list = properties();
  ASSERT_GE(H5Pset_virtual(list, space, (folder_ / "other.h5").c_str(), "/d", space), 0);
  dataset({3}, list, false);
  H5Sclose(space);
  refused({path() + ": /d", "lie in other files"});
}

TEST_F(Hdf5Refusal, OtherFilters) {
  const hid_t list = chunked({100});
  H5Pset_nbit(list);
  dataset({100}, list, true);
  refused({path() + ": /d", "the filter \"nbit\"", "with gzip or without compression"});
}

TEST_F(Hdf5Refusal, GzipAndShuffleAreRead) {
  const hid_t list = chunked({1000});
  H5Pset_shuffle(list);
  H5Pset_deflate(list, 9);
  H5Pset_fletcher32(list);
  dataset({100000}, list, true);
  const auto values = Hdf5File::open(path()).dataset("d").read<std::int32_t>();
  ASSERT_EQ(values.size(), 100000U);
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], static_cast<std::int32_t>(i));
}

TEST_F(Hdf5Refusal, ConstantDataAtTheHighestCompressionAreRead) {
  const hid_t list = chunked({1 << 20});
  H5Pset_deflate(list, 9);
  const hid_t file = create();
  const hsize_t count = 1 << 22;
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t set = H5Dcreate2(file, "d", H5T_STD_I32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  const std::vector<std::int32_t> zeros(count, 0);
  H5Dwrite(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros.data());
  H5Dclose(set);
  H5Sclose(space);
  H5Pclose(list);
  H5Fclose(file);
  EXPECT_EQ(Hdf5File::open(path()).dataset("d").read<std::int32_t>(), zeros);
}

TEST_F(Hdf5Refusal, SizesThatTheFileDoesNotHold) {
  constexpr hsize_t huge = hsize_t{1} << 50;
  dataset({huge}, chunked({1000}), false);
  refused({path() + ": /d", "claims 4503599627370496 bytes, but stores 0"});
  dataset({huge, huge}, chunked({1000, 1}), false);  // the product does not fit in 64 bits
  refused({"claims 18446744073709551615 bytes"});
  const hid_t compressed = chunked({1000});
  H5Pset_deflate(compressed, 1);
  dataset({huge}, compressed, false);
  refused({"claims 4503599627370496 bytes"});
}

TEST_F(Hdf5Refusal, FlippedBitsUnderAChecksum) {
  Hdf5File file = Hdf5File::create(path());
  std::vector<std::int32_t> values(100000);
  std::iota(values.begin(), values.end(), 1000000);
  file.create_dataset<std::int32_t>("d", {100000}, Storage::checksummed)
      .write(std::span<const std::int32_t>(values));
  file.close();
  const std::string whole = test::bytes_of(path());
  for (const std::int32_t value : {1000100, 1050000, 1099999}) {
    std::string flipped = whole;
    const std::string pattern(reinterpret_cast<const char*>(&value), 4);
    const std::size_t place = whole.find(pattern);
    ASSERT_NE(place, std::string::npos);
    flipped[place] = static_cast<char>(flipped[place] ^ 1);
    test::put_bytes(path(), flipped);
    refused({path() + ": /d", "cannot read its values", "checksum"});
  }
}

TEST_F(Hdf5Refusal, ManyTextsThatAreOneLongText) {
  const hid_t file = create();
  const hsize_t count = 20000;
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  const hid_t set = H5Dcreate2(file, "d", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const std::string text = "begin" + std::string(50000, 'x');
  std::vector<const char*> texts(count, "");
  texts[0] = text.c_str();
  ASSERT_GE(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()), 0);
  const auto offset = static_cast<std::size_t>(H5Dget_offset(set));
  H5Dclose(set);
  H5Sclose(space);
  H5Tclose(type);
  H5Fclose(file);
  EXPECT_EQ(Hdf5File::open(path()).dataset("d").read_texts().front(), text);
  // Every element is the reference to the first: 1 GB of text out of a file of 0.4 MB.
  std::string bytes = test::bytes_of(path());
  for (std::size_t i = 1; i < count; ++i) bytes.replace(offset + 16 * i, 16, bytes, offset, 16);
  test::put_bytes(path(), bytes);
  expect_error(ExitCode::bad_data, {path() + ": /d", "cannot read its texts"},
               [this] { Hdf5File::open(path()).dataset("d").read_texts(); });
}

TEST_F(Hdf5Refusal, WrongKindsAreNamed) {
  Hdf5File file = Hdf5File::create(path());
  file.create_group("g");
  file.create_texts("t", {"a"}, TextForm::fixed);
  file.set_attribute("text", "a", TextForm::fixed);
  file.set_attribute("list", std::span<const std::int64_t>(std::array<std::int64_t, 2>{1, 2}));
  file.set_attribute("real", 0.5);
  file.close();
  const Hdf5File read = Hdf5File::open(path());
  constexpr ExitCode bad = ExitCode::bad_data;
  expect_error(bad, {path() + ": /none", "missing"}, [&] { read.dataset("none"); });
  expect_error(bad, {path() + ": /g", "should be a data set"}, [&] { read.dataset("g"); });
  expect_error(bad, {path() + ": /t", "should be a group"}, [&] { read.group("t"); });
  expect_error(bad, {"\"g/x\" is no name"}, [&] { read.group("g/x"); });
  expect_error(bad, {"/t", "holds text, but should hold numbers"}, [&] { read.dataset("t").read<float>(); });
  expect_error(bad, {"\"none\" is missing"}, [&] { read.text_attribute("none"); });
  expect_error(bad, {"\"real\" holds float64", "a text"}, [&] { read.text_attribute("real"); });
  expect_error(bad, {"\"real\" holds float64", "integers"}, [&] { read.integer_attribute("real"); });
  expect_error(bad, {"\"text\" holds text", "a number"}, [&] { read.real_attribute("text"); });
  expect_error(bad, {"\"list\" has 2 elements"}, [&] { read.integer_attribute("list"); });
  expect_error(bad, {"\"list\" has 2 elements"}, [&] { read.real_attribute("list"); });
}

TEST_F(Hdf5Refusal, RowsThatAreNotThere) {
  dataset({3, 2}, properties(), true);
  const Hdf5File file = Hdf5File::open(path());
  const Hdf5Dataset read = file.dataset("d");
  std::vector<float> values(4);
  for (const auto& [first, last] : {std::pair{2, 4}, {-1, 1}, {2, 1}, {0, 1}}) {
    expect_error(ExitCode::internal, {path() + ": /d"},
                 [&] { read.read_rows(first, last, std::span(values)); });
  }
  expect_error(ExitCode::bad_data, {"should hold a list of texts"}, [&] { read.read_texts(); });
}

TEST_F(Hdf5Refusal, NowhereToWrite) {
  expect_error(ExitCode::cannot_write, {folder_ / "no/f.h5", "No such file"},
               [this] { Hdf5File::create(folder_ / "no/f.h5"); });
  Hdf5File file = Hdf5File::create(path());
  expect_error(ExitCode::cannot_write, {"zero byte"},
               [&] { file.set_attribute("a", std::string_view("a\0b", 3), TextForm::fixed); });
  file.create_group("g");
  expect_error(ExitCode::cannot_write, {path() + ": /g", "cannot create the group"},
               [&] { file.create_group("g"); });
}

// The disk fills up at every stage of the writing; each time it is told, once as an error.
TEST_F(Hdf5Refusal, FullDiskIsToldWhereverItHappens) {
  const std::vector<double> values(100000, 1.5);
  const auto write = [&] {
    Hdf5File file = Hdf5File::create(path());
    file.create_dataset<double>("d", {100000}, Storage::checksummed).write(std::span(values));
    file.create_texts("t", {"a", "b"}, TextForm::variable);
    file.close();
  };
  write();
  const auto whole = std::filesystem::file_size(path());
  for (const std::uintmax_t bytes : {std::uintmax_t{0}, std::uintmax_t{600}, whole / 2, whole - 1}) {
    const test::FileSizeLimit limit(bytes);
    expect_error(ExitCode::cannot_write, {path()}, write);
  }
  write();
  EXPECT_EQ(Hdf5File::open(path()).dataset("d").read<double>(), values);
}

}  // namespace
}  // namespace svi::io
