#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "import/scratch.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/import_idx.hpp"

namespace svi::data {
namespace {

using namespace std::string_literals;
using test::expect_error;
using test::ScratchFolder;

// Three images of 2×2.
const std::string images =
    "\0\0\x08\x03\0\0\0\x03\0\0\0\x02\0\0\0\x02"s + "\x01\x02\x03\x04\xff\xfe\xfd\xfc\x00\x80\x00\x7f"s;
const std::string labels = "\0\0\x08\x01\0\0\0\x03\x07\x00\x09"s;

at::Tensor expected_features() {
  return at::tensor({1, 2, 3, 4, 255, 254, 253, 252, 0, 128, 0, 127}, at::kByte).view({3, 4});
}

TEST(ImportIdx, GivesBytesAndLabelsPlainAndGzip) {
  const ScratchFolder folder;
  const auto label_path = folder.write("labels", labels);
  for (const auto& path : {folder.write("images", images), folder.write_gzip("images.gz", images)}) {
    const DenseTable table = import_idx(path, label_path);
    EXPECT_EQ(table.feature_shape, (std::vector<std::int64_t>{2, 2}));
    EXPECT_TRUE(at::equal(table.rows.features, expected_features()));
    EXPECT_TRUE(at::equal(table.rows.labels, at::tensor({7, 0, 9}, at::kLong)));
  }
  EXPECT_FALSE(import_idx(folder / "images", "").rows.labels.defined());
}

TEST(ImportIdx, RoundTripsThroughADataFile) {
  const ScratchFolder folder;
  const DenseTable table = import_idx(folder.write("images", images), folder.write("labels", labels));
  write_dense(folder / "a.h5", table.rows, table.feature_shape);
  const DataFile file(folder / "a.h5");
  EXPECT_EQ(file.facts().feature_shape, (std::vector<std::int64_t>{2, 2}));
  const auto rows = std::get<DenseRows>(file.read(0, 3));
  EXPECT_TRUE(at::equal(rows.features, expected_features()));
  EXPECT_TRUE(at::equal(rows.labels, at::tensor({7, 0, 9}, at::kLong)));
}

TEST(ImportIdx, RefusesEachCorruptionNamingTheFile) {
  const ScratchFolder folder;
  const auto refuses = [&](const std::string& bytes, const std::vector<std::string>& parts) {
    const auto path = folder.write("images", bytes);
    expect_error(ExitCode::bad_data, parts, [&] { import_idx(path, ""); });
  };
  refuses("", {"images", "header"});
  refuses(images.substr(0, 10), {"images", "header"});
  refuses("\x89PNG\r\n"s + images, {"images", "0x89504E47", "IDX"});
  refuses("\0\0\x0d\x03"s + images.substr(4), {"images", "0x0D", "unsigned bytes"});
  refuses("\0\0\x08\x00"s + images.substr(4), {"images", "0x00000800"});
  refuses("\0\0\x08\x07"s + images.substr(4), {"images", "0x00000807"});
  refuses(images.substr(0, images.size() - 1), {"images", "after 11 of the 12 bytes"});
  refuses(images + "x", {"images", "goes on after the 12 bytes"});
  refuses("\0\0\x08\x03\0\0\0\0\0\0\0\x02\0\0\0\x02"s, {"images", "dimension 1 is 0"});
  refuses("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s, {"images", "dimension 2"});
  refuses("\0\0\x08\x03\0\xff\xff\xff\0\0\0\x02\0\0\0\x02"s + "few",
          {"images", "after 3 of the 67108860 bytes"});
  refuses(labels, {"images", "--labels"});
}

TEST(ImportIdx, RefusesLabelsThatDoNotFit) {
  const ScratchFolder folder;
  const auto path = folder.write("images", images);
  const auto two = folder.write("two", "\0\0\x08\x01\0\0\0\x02\x07\x00"s);
  expect_error(ExitCode::bad_data, {"two", "2 labels", "3 rows"}, [&] { import_idx(path, two); });
  expect_error(ExitCode::bad_data, {"images", "3 dimensions"}, [&] { import_idx(path, path); });
  expect_error(ExitCode::missing_input, {"nowhere"}, [&] { import_idx(path, folder / "nowhere"); });
}

}  // namespace
}  // namespace svi::data
