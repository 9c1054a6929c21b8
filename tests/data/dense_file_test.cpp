#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "io/folder.hpp"
#include "svi/data/data_file.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {
namespace {

using test::expect_error;
using test::Folder;

class DenseFile : public testing::Test {
 protected:
  std::string path() const { return folder_ / "dense.h5"; }

  template <typename T>
  void put(const char* name, const std::vector<std::int64_t>& shape, const std::vector<T>& values) {
    file_.create_dataset<T>(name, shape, io::Storage::contiguous).write(std::span<const T>(values));
  }
  void refused(std::vector<std::string> texts) {
    file_.close();
    texts.push_back(path());
    expect_error(ExitCode::bad_data, texts, [this] {
      const DataFile file(path());
      file.read(0, file.facts().rows);
    });
    file_ = io::Hdf5File::create(path());
  }

  Folder folder_;
  io::Hdf5File file_ = io::Hdf5File::create(path());
};

void comes_back(const std::string& path, const DenseRows& rows) {
  write_dense(path, rows, {2, 3});
  const DataFile file(path);
  EXPECT_EQ(file.facts().layout, Layout::dense);
  EXPECT_EQ(file.facts().rows, 5);
  EXPECT_EQ(file.facts().columns, 6);
  EXPECT_EQ(file.facts().feature_shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.facts().entries, 30);
  EXPECT_EQ(file.facts().is_uint8, rows.features.scalar_type() == at::kByte);
  EXPECT_EQ(file.facts().has_labels, rows.labels.defined());
  const auto found = std::get<DenseRows>(file.read(1, 4));
  EXPECT_TRUE(at::equal(found.features, rows.features.slice(0, 1, 4)));
  EXPECT_EQ(found.labels.defined(), rows.labels.defined());
  if (rows.labels.defined()) {
    EXPECT_TRUE(at::equal(found.labels, rows.labels.slice(0, 1, 4)));
  }
}

TEST_F(DenseFile, ComesBack) {
  const at::Tensor bytes = at::arange(30).mul(8).to(at::kByte).view({5, 6});
  const at::Tensor reals = at::arange(30).to(at::kFloat).div(7).view({5, 6});
  comes_back(folder_ / "1.h5", {.features = bytes, .labels = at::tensor({3, 1, 4, 1, -5})});
  comes_back(folder_ / "2.h5", {.features = bytes, .labels = {}});
  comes_back(folder_ / "3.h5", {.features = reals, .labels = at::tensor({3, 1, 4, 1, 5})});
  comes_back(folder_ / "4.h5", {.features = reals.t().contiguous().t(), .labels = {}});  // not contiguous
}

TEST_F(DenseFile, AnnDataMatrixIsRead) {
  put<double>("X", {2, 2}, {0.5, 1, 2, 4});
  file_.close();
  const DataFile file(path());
  EXPECT_FALSE(file.facts().is_uint8);
  EXPECT_TRUE(at::equal(std::get<DenseRows>(file.read(0, 2)).features,
                        at::tensor({0.5F, 1.F, 2.F, 4.F}).view({2, 2})));
}

TEST_F(DenseFile, WrongShapesAndTypes) {
  put<float>("x", {3}, {1, 2, 3});
  refused({"/x", "shape [3]", "at least one dimension of features"});
  put<float>("x", {0, 3}, {});
  refused({"/x", "empty", "[0, 3]"});
  put<float>("x", {3, 0}, {});
  refused({"/x", "empty", "[3, 0]"});
  put<std::int64_t>("x", {1, 2}, {1, 2});
  refused({"/x", "holds int64", "uint8 (grey pixels) or float32"});
  file_.create_texts("x", {"a"}, io::TextForm::fixed);
  refused({"/x", "[1]"});
  put<float>("x", {1, 2}, {1, 2});
  put<float>("X", {1, 2}, {1, 2});
  refused({"not both"});
}

TEST_F(DenseFile, Labels) {
  put<float>("x", {2, 1}, {1, 2});
  put<std::int64_t>("y", {3}, {1, 2, 3});
  refused({"/y", "has 3 labels for 2 rows"});
  put<float>("x", {2, 1}, {1, 2});
  put<std::int64_t>("y", {2, 1}, {1, 2});
  refused({"/y", "holds int64 of shape [2, 1]", "one integer label a row"});
  put<float>("x", {2, 1}, {1, 2});
  put<float>("y", {2}, {1, 2});
  refused({"/y", "holds float32"});
}

TEST_F(DenseFile, FeaturesMustBeFinite) {
  put<float>("x", {3, 2}, {1, 2, 3, std::nanf(""), 5, 6});
  refused({"/x", "feature 1 of row 1", "is nan"});
  put<double>("x", {3, 2}, {1, 2, 3, 4, 1e300, 6});  // too large for float32
  refused({"/x", "feature 0 of row 2", "is inf"});
}

TEST_F(DenseFile, FingerprintSeesRowsShapeAndLabels) {
  const at::Tensor features = at::arange(24).to(at::kByte).view({4, 6});
  const auto fingerprint = [&](const DenseRows& rows, const std::vector<std::int64_t>& shape) {
    write_dense(folder_ / "f.h5", rows, shape);
    return DataFile(folder_ / "f.h5").facts().fingerprint;
  };
  const DenseRows rows{.features = features, .labels = at::arange(4)};
  const std::string first = fingerprint(rows, {2, 3});
  EXPECT_EQ(fingerprint(rows, {2, 3}), first);
  EXPECT_NE(fingerprint(rows, {6}), first);
  EXPECT_NE(fingerprint({.features = features, .labels = {}}, {2, 3}), first);
  EXPECT_NE(fingerprint({.features = features, .labels = at::ones({4})}, {2, 3}), first);
  EXPECT_NE(fingerprint({.features = features + 1, .labels = at::arange(4)}, {2, 3}), first);
}

TEST_F(DenseFile, WritingWhatDoesNotMatchIsADefect) {
  const std::string target = folder_ / "t.h5";
  const at::Tensor features = at::zeros({4, 6});
  expect_error(ExitCode::internal, {target}, [&] { write_dense(target, {features, {}}, {5}); });
  expect_error(ExitCode::internal, {target}, [&] { write_dense(target, {features, at::zeros({3})}, {6}); });
  EXPECT_FALSE(std::filesystem::exists(target));
}

}  // namespace
}  // namespace svi::data
