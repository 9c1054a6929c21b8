#include "svi/io/hdf5.hpp"

#include <limits>
#include <numeric>
#include <thread>
#include <type_traits>

#include "io/folder.hpp"

namespace svi::io {
namespace {

using test::Folder;

template <typename T>
class Hdf5Numbers : public testing::Test {};
using AllNumbers = testing::Types<std::uint8_t, std::int32_t, std::int64_t, std::uint64_t, float, double>;
TYPED_TEST_SUITE(Hdf5Numbers, AllNumbers);

template <typename T>
std::vector<T> sample(std::size_t count) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<T>(i * 37 % 251);
  values.front() = std::numeric_limits<T>::lowest();
  values.back() = std::numeric_limits<T>::max();
  return values;
}

TYPED_TEST(Hdf5Numbers, ComeBackInEveryStorage) {
  const Folder folder;
  const std::vector<TypeParam> values = sample<TypeParam>(1000 * 7 * 11);
  for (const Storage storage : {Storage::contiguous, Storage::checksummed}) {
    Hdf5File file = Hdf5File::create(folder / "f.h5");
    file.create_dataset<TypeParam>("values", {1000, 7, 11}, storage).write(std::span(std::as_const(values)));
    file.close();
    const Hdf5Dataset read = Hdf5File::open(folder / "f.h5").dataset("values");
    EXPECT_EQ(read.shape(), (std::vector<std::int64_t>{1000, 7, 11}));
    EXPECT_EQ(read.elements(), 77000);
    EXPECT_EQ(read.type().bytes, sizeof(TypeParam));
    EXPECT_EQ(read.type().kind == ElementType::Kind::real, std::is_floating_point_v<TypeParam>);
    EXPECT_EQ(read.type().is_signed, std::is_integral_v<TypeParam> && std::is_signed_v<TypeParam>);
    EXPECT_EQ(read.read<TypeParam>(), values);
    std::vector<TypeParam> rows(13 * 77);
    read.read_rows(400, 413, std::span(rows));
    EXPECT_TRUE(std::equal(rows.begin(), rows.end(), values.begin() + 400 * 77));
  }
}

TEST(Hdf5, OutlivesItsFileObject) {
  const Folder folder;
  {
    Hdf5File file = Hdf5File::create(folder / "f.h5");
    const std::vector<double> values{1.5};
    file.create_dataset<double>("single", {}, Storage::checksummed).write(std::span(values));
    file.create_dataset<double>("none", {0, 3}, Storage::checksummed).write(std::span<const double>());
    file.close();
  }
  const Hdf5File file = Hdf5File::open(folder / "f.h5");
  EXPECT_EQ(file.dataset("single").read<double>(), std::vector<double>{1.5});
  EXPECT_TRUE(file.dataset("none").read<double>().empty());
  EXPECT_EQ(file.dataset("none").shape(), (std::vector<std::int64_t>{0, 3}));
}

TEST(Hdf5, RowsAreWrittenOneBlockAfterAnother) {
  const Folder folder;
  const std::vector<std::int32_t> values = sample<std::int32_t>(300000);
  Hdf5File file = Hdf5File::create(folder / "f.h5");
  {
    Hdf5Dataset dataset = file.create_dataset<std::int32_t>("v", {100000, 3}, Storage::checksummed);
    for (std::int64_t first = 0; first < 100000; first += 30000) {
      const std::int64_t last = std::min<std::int64_t>(100000, first + 30000);
      dataset.write_rows(first, last,
                         std::span(values).subspan(static_cast<std::size_t>(3 * first),
                                                   static_cast<std::size_t>(3 * (last - first))));
    }
  }
  file.close();
  EXPECT_EQ(Hdf5File::open(folder / "f.h5").dataset("v").read<std::int32_t>(), values);
}

TEST(Hdf5, NumbersWidenWhenRead) {
  const Folder folder;
  Hdf5File file = Hdf5File::create(folder / "f.h5");
  const std::vector<std::int32_t> values{-5, 0, 1 << 30};
  file.create_dataset<std::int32_t>("v", {3}, Storage::contiguous).write(std::span(values));
  file.close();
  const Hdf5Dataset read = Hdf5File::open(folder / "f.h5").dataset("v");
  EXPECT_EQ(read.read<std::int64_t>(), (std::vector<std::int64_t>{-5, 0, 1 << 30}));
  EXPECT_EQ(read.read<double>(), (std::vector<double>{-5, 0, 1 << 30}));
}

TEST(Hdf5, TextsComeBackInBothForms) {
  const Folder folder;
  const std::vector<std::string> texts{"one", "", "zwölf", std::string(3000, 'x'), "trailing blank "};
  for (const TextForm form : {TextForm::fixed, TextForm::variable}) {
    Hdf5File file = Hdf5File::create(folder / "f.h5");
    file.create_texts("texts", texts, form);
    file.create_texts("none", {}, form);
    file.set_attribute("text", "grün", form);
    file.set_attribute("empty", "", form);
    file.close();
    const Hdf5File read = Hdf5File::open(folder / "f.h5");
    EXPECT_EQ(read.dataset("texts").type().is_variable, form == TextForm::variable);
    EXPECT_EQ(read.dataset("texts").read_texts(), texts);
    EXPECT_TRUE(read.dataset("none").read_texts().empty());
    EXPECT_EQ(read.text_attribute("text"), "grün");
    EXPECT_EQ(read.text_attribute("empty"), "");
  }
}

TEST(Hdf5, AttributesComeBackOnGroupsAndDatasets) {
  const Folder folder;
  Hdf5File file = Hdf5File::create(folder / "f.h5");
  {
    Hdf5Group group = file.create_group("g");
    group.set_attribute("integer", std::int64_t{-7});
    group.set_attribute("real", 0.1);
    Hdf5Dataset dataset = group.create_dataset<float>("d", {2}, Storage::contiguous);
    dataset.set_attribute("list", std::span<const std::int64_t>(std::array<std::int64_t, 2>{3, 1LL << 62}));
    dataset.set_attribute("no list", std::span<const std::int64_t>());
    dataset.write(std::span<const float>(std::array<float, 2>{1, 2}));
  }
  file.close();
  const Hdf5Group group = Hdf5File::open(folder / "f.h5").group("g");
  EXPECT_EQ(group.integer_attribute("integer"), -7);
  EXPECT_EQ(group.real_attribute("real"), 0.1);
  EXPECT_EQ(group.real_attribute("integer"), -7.0);
  EXPECT_TRUE(group.has_attribute("real"));
  EXPECT_FALSE(group.has_attribute("none"));
  EXPECT_EQ(group.dataset("d").integers_attribute("list"), (std::vector<std::int64_t>{3, 1LL << 62}));
  EXPECT_TRUE(group.dataset("d").integers_attribute("no list").empty());
}

TEST(Hdf5, NamesAndPlacesAreTold) {
  const Folder folder;
  Hdf5File file = Hdf5File::create(folder / "f.h5");
  file.create_group("b").create_group("deep");
  file.create_dataset<float>("a", {1}, Storage::contiguous)
      .write(std::span<const float>(std::array<float, 1>{}));
  file.close();
  const Hdf5File read = Hdf5File::open(folder / "f.h5");
  EXPECT_EQ(read.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(read.has_group("b"));
  EXPECT_FALSE(read.has_group("a"));
  EXPECT_TRUE(read.has_dataset("a"));
  EXPECT_FALSE(read.has_dataset("c"));
  EXPECT_EQ(read.group("b").group("deep").where(), folder / "f.h5" + ": /b/deep");
}

TEST(Hdf5, UserBlockIsLeftFree) {
  const Folder folder;
  Hdf5File file = Hdf5File::create(folder / "f.h5", 512);
  file.set_attribute("x", std::int64_t{3});
  file.close();
  std::string bytes = test::bytes_of(folder / "f.h5");
  EXPECT_EQ(bytes.substr(512, 8), "\x89HDF\r\n\x1a\n");
  std::fill(bytes.begin(), bytes.begin() + 512, 'D');
  test::put_bytes(folder / "f.h5", bytes);
  EXPECT_EQ(Hdf5File::open(folder / "f.h5").integer_attribute("x"), 3);
}

std::string written_bytes(const std::string& path) {
  Hdf5File file = Hdf5File::create(path);
  file.set_attribute("text", "x", TextForm::variable);
  const std::vector<float> values = sample<float>(100000);
  file.create_group("g")
      .create_dataset<float>("d", {100, 1000}, Storage::checksummed)
      .write(std::span(values));
  file.create_texts("t", {"a", "bc"}, TextForm::variable);
  file.close();
  return test::bytes_of(path);
}

TEST(Hdf5, SameContentsGiveTheSameBytes) {
  const Folder folder;
  const std::string first = written_bytes(folder / "one.h5");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5 would store the time in seconds
  EXPECT_TRUE(first == written_bytes(folder / "two.h5"));
}

TEST(Hdf5, ManyReadersAtOnce) {
  const Folder folder;
  Hdf5File writer = Hdf5File::create(folder / "f.h5");
  writer.set_attribute("x", std::int64_t{3});
  writer.close();
  std::filesystem::permissions(folder / "f.h5", std::filesystem::perms::owner_read);
  std::vector<Hdf5File> files;
  for (int i = 0; i < 8; ++i) files.push_back(Hdf5File::open(folder / "f.h5"));
  for (const Hdf5File& file : files) EXPECT_EQ(file.integer_attribute("x"), 3);
}

}  // namespace
}  // namespace svi::io
