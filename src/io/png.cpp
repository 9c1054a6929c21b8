#include "svi/io/png.hpp"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

#include <limits>

#include "svi/base/error.hpp"
#include "svi/io/atomic_file.hpp"

namespace svi::io {

namespace {

void append(void* text, void* bytes, int size) {
  static_cast<std::string*>(text)->append(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

}  // namespace

void write_png(const std::string& path, std::int64_t height, std::int64_t width, std::int64_t channels,
               std::span<const std::uint8_t> pixels) {
  const std::int64_t bytes = height * width * channels;
  if (height < 1 || width < 1 || (channels != 1 && channels != 3) || std::ssize(pixels) != bytes ||
      bytes > std::numeric_limits<int>::max() / 2) {
    throw Error(ExitCode::internal, "{}: {} values are no image of {} × {} pixels with {} channels", path,
                pixels.size(), height, width, channels);
  }
  std::string image;
  const int row_bytes = static_cast<int>(width * channels);
  if (stbi_write_png_to_func(append, &image, static_cast<int>(width), static_cast<int>(height),
                             static_cast<int>(channels), pixels.data(), row_bytes) == 0) {
    throw Error(ExitCode::cannot_write, "cannot compress the image {}: out of memory", path);
  }
  write_text(path, image);
}

}  // namespace svi::io
