#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <numeric>

#include "hdf5_check.hpp"

namespace svi::io {

namespace {

constexpr std::array<H5Z_filter_t, 3> known_filters{H5Z_FILTER_DEFLATE, H5Z_FILTER_SHUFFLE,
                                                    H5Z_FILTER_FLETCHER32};
// Deflate shrinks at most 1032 times (zlib's technical notes); a little room for the rest.
constexpr std::uint64_t most_compression = 1100;

struct FilterFacts {
  H5Z_filter_t id;
  std::string name;
};

FilterFacts filter(const Hdf5Id& properties, unsigned index, const std::string& where) {
  std::array<char, 64> name{};
  std::size_t parameters = 0;
  unsigned flags = 0;
  unsigned config = 0;
  const H5Z_filter_t id = H5Pget_filter2(properties.get(), index, &flags, &parameters, nullptr, name.size(),
                                         name.data(), &config);
  check(id, ExitCode::bad_data, where, "read a filter's name");
  name.back() = '\0';
  return {id, name.data()};
}

std::vector<std::int64_t> shape_of(const Hdf5Id& dataset, const std::string& where, ExitCode code) {
  const Hdf5Id space = checked(H5Dget_space(dataset.get()), H5Sclose, code, where, "read its shape");
  const int rank = check(H5Sget_simple_extent_ndims(space.get()), code, where, "read its shape");
  std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
  if (rank > 0) {
    check(H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr), code, where, "read its shape");
  }
  return {extent.begin(), extent.end()};
}

// The product, or the largest number where it does not fit.
std::uint64_t product(std::span<const std::int64_t> shape, std::uint64_t start) {
  std::uint64_t result = start;
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(result, static_cast<std::uint64_t>(extent), &result)) {
      return std::numeric_limits<std::uint64_t>::max();
    }
  }
  return std::any_of(shape.begin(), shape.end(), [](std::int64_t extent) { return extent == 0; }) ? 0
                                                                                                  : result;
}

std::uint64_t chunk_bytes(const Hdf5Id& properties, std::size_t rank, std::size_t element_bytes) {
  if (H5Pget_layout(properties.get()) != H5D_CHUNKED) return 0;
  std::vector<hsize_t> chunk(rank);
  if (H5Pget_chunk(properties.get(), static_cast<int>(rank), chunk.data()) < 0) return 0;
  const std::vector<std::int64_t> extents(chunk.begin(), chunk.end());
  return product(extents, element_bytes);
}

}  // namespace

// A part of a data set: all of it is selected unless it has dimensions.
struct Hdf5Dataset::Selection {
  Hdf5Id memory = borrowed(H5S_ALL);
  Hdf5Id file = borrowed(H5S_ALL);
};

Hdf5Dataset::Hdf5Dataset(Hdf5Id id, std::string where, std::uint64_t file_bytes)
    : Hdf5Node(std::move(id), std::move(where), file_bytes), shape_(shape_of(id_, where_, code())) {
  type_ = element_type(checked(H5Dget_type(id_.get()), H5Tclose, code(), where_, "read its type"));
  if (file_bytes_ > 0) require_plain_storage();
}

std::int64_t Hdf5Dataset::elements() const { return static_cast<std::int64_t>(product(shape_, 1)); }

void Hdf5Dataset::require_plain_storage() {
  const Hdf5Id properties =
      checked(H5Dget_create_plist(id_.get()), H5Pclose, code(), where_, "read how it is stored");
  if (H5Pget_layout(properties.get()) == H5D_VIRTUAL || H5Pget_external_count(properties.get()) != 0) {
    throw Error(code(), "{}: its data lie in other files, which is not followed; copy them into one file",
                where_);
  }
  const int filters = check(H5Pget_nfilters(properties.get()), code(), where_, "read its filters");
  for (int i = 0; i < filters; ++i) {
    const FilterFacts facts = filter(properties, static_cast<unsigned>(i), where_);
    is_compressed_ |= facts.id != H5Z_FILTER_FLETCHER32;
    if (std::find(known_filters.begin(), known_filters.end(), facts.id) != known_filters.end()) continue;
    throw Error(code(),
                "{}: stored with the filter \"{}\" (number {}); only gzip, shuffle and Fletcher32 are "
                "read: write the file again with gzip or without compression",
                where_, facts.name, facts.id);
  }
  require_stored(properties);
}

void Hdf5Dataset::require_stored(const Hdf5Id& properties) const {
  const std::uint64_t claimed = product(shape_, type_.bytes);
  const std::uint64_t stored = H5Dget_storage_size(id_.get());
  const std::uint64_t factor = is_compressed_ ? most_compression : 1;
  const std::uint64_t largest = std::max(claimed, chunk_bytes(properties, shape_.size(), type_.bytes));
  if (claimed == 0 || (stored <= file_bytes_ && largest / factor <= stored)) return;
  throw Error(code(), "{}: claims {} bytes, but stores {} in a file of {}; the file is damaged or incomplete",
              where_, largest, stored, file_bytes_);
}

Hdf5Dataset::Selection Hdf5Dataset::select(std::int64_t first, std::int64_t last, std::size_t count) const {
  const std::int64_t rows = shape_.empty() ? 1 : shape_.front();
  const std::uint64_t row_elements = shape_.empty() ? 1 : product(std::span(shape_).subspan(1), 1);
  if (first < 0 || last < first || last > rows ||
      count != row_elements * static_cast<std::uint64_t>(last - first)) {
    throw Error(ExitCode::internal, "{}: rows {} to {} of {} do not match {} values", where_, first, last,
                rows, count);
  }
  Selection selection;
  if (shape_.empty()) return selection;
  // Memory has the selection's own shape: HDF5 copies between different ones element by element.
  std::vector<hsize_t> offset(shape_.size(), 0);
  std::vector<hsize_t> extent(shape_.begin(), shape_.end());
  offset.front() = static_cast<hsize_t>(first);
  extent.front() = static_cast<hsize_t>(last - first);
  selection.memory = checked(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr),
                             H5Sclose, code(), where_, "select rows");
  selection.file = checked(H5Dget_space(id_.get()), H5Sclose, code(), where_, "select rows");
  check(H5Sselect_hyperslab(selection.file.get(), H5S_SELECT_SET, offset.data(), nullptr, extent.data(),
                            nullptr),
        code(), where_, "select rows");
  return selection;
}

template <Number T>
void Hdf5Dataset::read_rows(std::int64_t first, std::int64_t last, std::span<T> values) const {
  const Hdf5Lock lock;
  if (type_.kind != ElementType::Kind::integer && type_.kind != ElementType::Kind::real) {
    throw Error(code(), "{}: holds {}, but should hold numbers", where_, type_.text());
  }
  const Selection selection = select(first, last, values.size());
  if (values.empty()) return;
  check(H5Dread(id_.get(), memory_type<T>(), selection.memory.get(), selection.file.get(), H5P_DEFAULT,
                values.data()),
        code(), where_, "read its values");
}

template <Number T>
std::vector<T> Hdf5Dataset::read() const {
  std::vector<T> values(static_cast<std::size_t>(elements()));
  read_rows(0, shape_.empty() ? 1 : shape_.front(), std::span(values));
  return values;
}

template <Number T>
void Hdf5Dataset::write(std::span<const T> values) {
  write_rows(0, shape_.empty() ? 1 : shape_.front(), values);
}

template <Number T>
void Hdf5Dataset::write_rows(std::int64_t first, std::int64_t last, std::span<const T> values) {
  const Hdf5Lock lock;
  const Selection selection = select(first, last, values.size());
  if (values.empty()) return;
  check(H5Dwrite(id_.get(), memory_type<T>(), selection.memory.get(), selection.file.get(), H5P_DEFAULT,
                 values.data()),
        code(), where_, "write its values");
}

template <Number T>
void Hdf5Dataset::append(std::span<const T> values) {
  const Hdf5Lock lock;
  const std::int64_t first = shape_.front();
  const std::array<hsize_t, 1> extent{static_cast<hsize_t>(first) + values.size()};
  check(H5Dset_extent(id_.get(), extent.data()), code(), where_, "lengthen it");
  shape_.front() = static_cast<std::int64_t>(extent[0]);
  write_rows(first, shape_.front(), values);
}

#define SVI_INSTANTIATE(T)                                                                 \
  template void Hdf5Dataset::read_rows<T>(std::int64_t, std::int64_t, std::span<T>) const; \
  template std::vector<T> Hdf5Dataset::read<T>() const;                                    \
  template void Hdf5Dataset::write<T>(std::span<const T>);                                 \
  template void Hdf5Dataset::append<T>(std::span<const T>);                                \
  template void Hdf5Dataset::write_rows<T>(std::int64_t, std::int64_t, std::span<const T>);
SVI_INSTANTIATE(std::uint8_t)
SVI_INSTANTIATE(std::int32_t)
SVI_INSTANTIATE(std::int64_t)
SVI_INSTANTIATE(std::uint64_t)
SVI_INSTANTIATE(float)
SVI_INSTANTIATE(double)
#undef SVI_INSTANTIATE

}  // namespace svi::io
