#include "svi/data/import_idx.hpp"

#include <ATen/ATen.h>

#include <array>
#include <cstddef>
#include <span>

#include "svi/base/error.hpp"
#include "svi/io/gzip.hpp"

namespace svi::data {

namespace {

constexpr unsigned ubyte_type = 0x08;
constexpr std::int64_t most_bytes = std::int64_t{1} << 40;
constexpr std::size_t piece_bytes = std::size_t{1} << 24;  // what a header that lies can make us allocate

std::uint32_t big_endian(std::span<const std::byte, 4> bytes) {
  std::uint32_t number = 0;
  for (const std::byte byte : bytes) number = number << 8U | std::to_integer<std::uint32_t>(byte);
  return number;
}

std::uint32_t read_number(io::InputFile& file) {
  std::array<std::byte, 4> bytes{};
  file.read_exactly(bytes, "the header of an IDX file");
  return big_endian(bytes);
}

// Magic number: two zero bytes, the element type, the number of dimensions; then each dimension.
std::vector<std::int64_t> read_shape(io::InputFile& file) {
  const std::uint32_t magic = read_number(file);
  const std::uint32_t type = magic >> 8U & 0xFFU;
  const std::uint32_t dimensions = magic & 0xFFU;
  if (magic >> 16U != 0 || dimensions == 0 || dimensions > 4) {
    throw Error(ExitCode::bad_data,
                "{}: starts with 0x{:08X}, expected an IDX file (0x0000 08 and 1 to 4 dimensions)",
                file.path(), magic);
  }
  if (type != ubyte_type) {
    throw Error(ExitCode::bad_data, "{}: has elements of IDX type 0x{:02X}, expected unsigned bytes (0x08)",
                file.path(), type);
  }
  std::vector<std::int64_t> shape;
  std::int64_t bytes = 1;
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    shape.push_back(read_number(file));
    if (shape.back() < 1 || shape.back() > most_bytes / bytes) {
      throw Error(ExitCode::bad_data, "{}: dimension {} is {}, expected at least 1 and in all at most 1 TiB",
                  file.path(), i + 1, shape.back());
    }
    bytes *= shape.back();
  }
  return shape;
}

// Reads all elements, allocating as they come, and nothing may follow them.
at::Tensor read_elements(io::InputFile& file, std::int64_t expected) {
  std::vector<std::uint8_t> elements;
  while (static_cast<std::int64_t>(elements.size()) < expected) {
    const std::size_t done = elements.size();
    elements.resize(std::min(static_cast<std::size_t>(expected), done + piece_bytes));
    const std::span<std::uint8_t> piece(elements.data() + done, elements.size() - done);
    const std::size_t count = file.read(std::as_writable_bytes(piece));
    if (count < piece.size()) {
      throw Error(ExitCode::bad_data,
                  "{}: ends after {} of the {} bytes that its header announces: the file is cut short",
                  file.path(), done + count, expected);
    }
  }
  std::array<std::byte, 1> more{};
  if (file.read(more) != 0) {
    throw Error(ExitCode::bad_data, "{}: goes on after the {} bytes that its header announces", file.path(),
                expected);
  }
  return at::from_blob(elements.data(), {expected}, at::kByte).clone();
}

at::Tensor read_labels(const std::string& path, std::int64_t rows) {
  io::InputFile file(path);
  const auto shape = read_shape(file);
  if (shape.size() != 1) {
    throw Error(ExitCode::bad_data, "{}: has {} dimensions, expected labels of one dimension", path,
                shape.size());
  }
  if (shape[0] != rows) {
    throw Error(ExitCode::bad_data, "{}: has {} labels, but there are {} rows", path, shape[0], rows);
  }
  return read_elements(file, rows).to(at::kLong);
}

}  // namespace

DenseTable import_idx(const std::string& path, const std::string& labels_path) {
  io::InputFile file(path);
  const auto shape = read_shape(file);
  if (shape.size() < 2) {
    throw Error(ExitCode::bad_data,
                "{}: has one dimension, as labels have; give the images, and labels by --labels", path);
  }
  DenseTable table;
  table.feature_shape.assign(shape.begin() + 1, shape.end());
  std::int64_t width = 1;
  for (const std::int64_t extent : table.feature_shape) width *= extent;
  table.rows.features = read_elements(file, shape[0] * width).view({shape[0], width});
  if (!labels_path.empty()) table.rows.labels = read_labels(labels_path, shape[0]);
  return table;
}

}  // namespace svi::data
