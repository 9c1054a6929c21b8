#include "svi/io/png.hpp"

#include <zlib.h>

#include <cstdlib>
#include <vector>

#include "io/folder.hpp"

namespace svi::io {
namespace {

struct Image {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  int channels = 0;
  std::vector<std::uint8_t> pixels;
};

std::uint32_t big_endian(const std::string& bytes, std::size_t place) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes.at(place + i));
  return value;
}

int paeth(int a, int b, int c) {
  const int pa = std::abs(b - c);
  const int pb = std::abs(a - c);
  const int pc = std::abs(a + b - 2 * c);
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

// Undoes the filters of the PNG specification, section 9.
void unfilter(Image& image, const std::vector<std::uint8_t>& raw) {
  const std::size_t row = image.width * static_cast<std::size_t>(image.channels);
  const auto left = static_cast<std::size_t>(image.channels);
  image.pixels.assign(row * image.height, 0);
  for (std::size_t y = 0; y < image.height; ++y) {
    const std::uint8_t filter = raw.at(y * (row + 1));
    for (std::size_t x = 0; x < row; ++x) {
      const int a = x >= left ? image.pixels[y * row + x - left] : 0;
      const int b = y > 0 ? image.pixels[(y - 1) * row + x] : 0;
      const int c = x >= left && y > 0 ? image.pixels[(y - 1) * row + x - left] : 0;
      const int guesses[] = {0, a, b, (a + b) / 2, paeth(a, b, c)};
      ASSERT_LT(filter, 5);
      image.pixels[y * row + x] = static_cast<std::uint8_t>(raw.at(y * (row + 1) + 1 + x) + guesses[filter]);
    }
  }
}

// A second, independent implementation: walks the chunks, checks each CRC, inflates with zlib.
Image decoded(const std::string& bytes) {
  Image image;
  EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n");
  std::string compressed;
  for (std::size_t place = 8; place < bytes.size();) {
    const std::uint32_t length = big_endian(bytes, place);
    const std::string name = bytes.substr(place + 4, 4);
    const auto* start = reinterpret_cast<const Bytef*>(bytes.data()) + place + 4;
    EXPECT_EQ(crc32(0, start, length + 4), big_endian(bytes, place + 8 + length)) << name;
    if (name == "IHDR") {
      image.width = big_endian(bytes, place + 8);
      image.height = big_endian(bytes, place + 12);
      EXPECT_EQ(bytes.at(place + 16), 8);
      image.channels = bytes.at(place + 17) == 0 ? 1 : 3;
    }
    if (name == "IDAT") compressed += bytes.substr(place + 8, length);
    place += 12 + length;
  }
  std::vector<std::uint8_t> raw((image.width * static_cast<std::size_t>(image.channels) + 1) * image.height);
  uLongf size = raw.size();
  EXPECT_EQ(
      uncompress(raw.data(), &size, reinterpret_cast<const Bytef*>(compressed.data()), compressed.size()),
      Z_OK);
  EXPECT_EQ(size, raw.size());
  unfilter(image, raw);
  return image;
}

void comes_back(std::int64_t height, std::int64_t width, std::int64_t channels) {
  const test::Folder folder;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height * width * channels));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * i / 7);
  write_png(folder / "image.png", height, width, channels, pixels);
  const Image image = decoded(test::bytes_of(folder / "image.png"));
  EXPECT_EQ(image.height, height);
  EXPECT_EQ(image.width, width);
  EXPECT_EQ(image.channels, channels);
  EXPECT_EQ(image.pixels, pixels);
  EXPECT_EQ(folder.files(), 1U);
}

TEST(Png, GreyAndColourComeBack) {
  comes_back(1, 1, 1);
  comes_back(30, 47, 1);
  comes_back(28, 19, 3);
}

TEST(Png, RefusesWhatIsNoImage) {
  const test::Folder folder;
  const std::vector<std::uint8_t> pixels(12);
  for (const auto& [height, width, channels] : {std::tuple{2, 2, 2}, {0, 12, 1}, {3, 3, 1}}) {
    test::expect_error(ExitCode::internal, {"12 values"},
                       [&] { write_png(folder / "x.png", height, width, channels, pixels); });
  }
  test::expect_error(ExitCode::cannot_write, {folder / "no/x.png"},
                     [&] { write_png(folder / "no/x.png", 3, 4, 1, pixels); });
  EXPECT_EQ(folder.files(), 0U);
}

}  // namespace
}  // namespace svi::io
