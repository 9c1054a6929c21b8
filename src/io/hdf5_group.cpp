#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "hdf5_check.hpp"

namespace svi::io {

namespace {

// Small enough for HDF5's chunk cache (1 MiB), large enough that checksums cost little.
constexpr hsize_t chunk_target_bytes = 256 * 1024;

// The shape, halved from the first dimension on until a chunk is small enough.
std::vector<hsize_t> chunk_shape(const std::vector<hsize_t>& extent, std::size_t element_bytes) {
  std::vector<hsize_t> chunk = extent;
  hsize_t bytes = element_bytes;
  for (const hsize_t length : chunk) bytes *= length;
  for (hsize_t& length : chunk) {
    while (bytes > chunk_target_bytes && length > 1) {
      bytes = bytes / length * ((length + 1) / 2);
      length = (length + 1) / 2;
    }
  }
  return chunk;
}

Hdf5Id creation_properties(const std::vector<hsize_t>& extent, std::size_t element_bytes, Storage storage,
                           const std::string& where) {
  constexpr ExitCode code = ExitCode::cannot_write;
  Hdf5Id properties = checked(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, code, where, "create a data set");
  check(H5Pset_obj_track_times(properties.get(), false), code, where, "leave out times");
  const bool is_empty = std::find(extent.begin(), extent.end(), 0U) != extent.end();
  if (storage == Storage::contiguous || extent.empty() || is_empty) return properties;
  const std::vector<hsize_t> chunk = chunk_shape(extent, element_bytes);
  check(H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data()), code, where,
        "set chunks");
  check(H5Pset_fletcher32(properties.get()), code, where, "set checksums");
  return properties;
}

// Files are replaced by rename and never changed in place, so locks would only get in the way of readers.
Hdf5Id access_properties(const std::string& path, ExitCode code) {
  Hdf5Id properties = checked(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, code, path, "prepare opening");
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
  check(H5Pset_file_locking(properties.get(), false, true), code, path, "prepare opening");
#endif
  return properties;
}

std::uint64_t size_of_readable_file(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    throw Error(ExitCode::missing_input, "cannot read {}: {}", path, std::strerror(errno));
  }
  if (S_ISDIR(facts.st_mode)) throw Error(ExitCode::missing_input, "{} is a folder, not a file", path);
  if (facts.st_size == 0) throw Error(ExitCode::bad_data, "{} is empty, not an HDF5 file", path);
  return static_cast<std::uint64_t>(facts.st_size);
}

}  // namespace

std::string Hdf5Group::where_of(const std::string& name) const {
  return where_.ends_with(": /") ? where_ + name : where_ + "/" + name;
}

std::vector<std::string> Hdf5Group::names() const {
  const Hdf5Lock lock;
  std::vector<std::string> names;
  hsize_t start = 0;
  check(H5Literate(id_.get(), H5_INDEX_NAME, H5_ITER_INC, &start, append_name<H5L_info_t>, &names), code(),
        where_, "list its members");
  return names;
}

Hdf5Id Hdf5Group::open_child(const std::string& name) const {
  const Hdf5Lock lock;
  if (name.empty() || name == "." || name.find('/') != std::string::npos) {
    throw Error(code(), "{}: \"{}\" is no name of a member", where_, name);
  }
  if (check(H5Lexists(id_.get(), name.c_str(), H5P_DEFAULT), code(), where_, "look for a member") == 0)
    return {};
  H5L_info_t link;
  check(H5Lget_info(id_.get(), name.c_str(), &link, H5P_DEFAULT), code(), where_of(name), "read the link");
  if (link.type != H5L_TYPE_HARD) {
    throw Error(code(), "{}: is a link to somewhere else, which is not followed; copy the data into the file",
                where_of(name));
  }
  return checked(H5Oopen(id_.get(), name.c_str(), H5P_DEFAULT), H5Oclose, code(), where_of(name), "open it");
}

bool Hdf5Group::has_group(const std::string& name) const {
  const Hdf5Lock lock;
  const Hdf5Id child = open_child(name);
  return child.is_valid() && H5Iget_type(child.get()) == H5I_GROUP;
}

bool Hdf5Group::has_dataset(const std::string& name) const {
  const Hdf5Lock lock;
  const Hdf5Id child = open_child(name);
  return child.is_valid() && H5Iget_type(child.get()) == H5I_DATASET;
}

Hdf5Group Hdf5Group::group(const std::string& name) const {
  const Hdf5Lock lock;
  Hdf5Id child = open_child(name);
  if (!child.is_valid()) throw Error(code(), "{}: missing", where_of(name));
  if (H5Iget_type(child.get()) != H5I_GROUP) throw Error(code(), "{}: should be a group", where_of(name));
  return {std::move(child), where_of(name), file_bytes_};
}

Hdf5Dataset Hdf5Group::dataset(const std::string& name) const {
  const Hdf5Lock lock;
  Hdf5Id child = open_child(name);
  if (!child.is_valid()) throw Error(code(), "{}: missing", where_of(name));
  if (H5Iget_type(child.get()) != H5I_DATASET)
    throw Error(code(), "{}: should be a data set", where_of(name));
  return {std::move(child), where_of(name), file_bytes_};
}

Hdf5Group Hdf5Group::create_group(const std::string& name) {
  const Hdf5Lock lock;
  return {checked(H5Gcreate2(id_.get(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose,
                  code(), where_of(name), "create the group"),
          where_of(name), file_bytes_};
}

Hdf5Dataset Hdf5Group::create(const std::string& name, const Hdf5Id& type,
                              const std::vector<std::int64_t>& shape, Storage storage) {
  const Hdf5Lock lock;
  const std::string where = where_of(name);
  const std::vector<hsize_t> extent(shape.begin(), shape.end());
  const Hdf5Id space =
      checked(shape.empty() ? H5Screate(H5S_SCALAR)
                            : H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr),
              H5Sclose, code(), where, "create a shape");
  const Hdf5Id properties = creation_properties(extent, H5Tget_size(type.get()), storage, where);
  Hdf5Id id = checked(H5Dcreate2(id_.get(), name.c_str(), type.get(), space.get(), H5P_DEFAULT,
                                 properties.get(), H5P_DEFAULT),
                      H5Dclose, code(), where, "create the data set");
  return {std::move(id), where, file_bytes_};
}

template <Number T>
Hdf5Dataset Hdf5Group::create_dataset(const std::string& name, const std::vector<std::int64_t>& shape,
                                      Storage storage) {
  return create(name, borrowed(file_type<T>()), shape, storage);
}

template <Number T>
Hdf5Dataset Hdf5Group::create_growing(const std::string& name) {
  const Hdf5Lock lock;
  const std::string where = where_of(name);
  const hsize_t none = 0;
  const hsize_t unlimited = H5S_UNLIMITED;
  const hsize_t chunk = chunk_target_bytes / sizeof(T);
  const Hdf5Id space =
      checked(H5Screate_simple(1, &none, &unlimited), H5Sclose, code(), where, "create a shape");
  const Hdf5Id properties = creation_properties({chunk}, sizeof(T), Storage::checksummed,
                                                where);  // one chunk is as large as it gets
  return {checked(H5Dcreate2(id_.get(), name.c_str(), file_type<T>(), space.get(), H5P_DEFAULT,
                             properties.get(), H5P_DEFAULT),
                  H5Dclose, code(), where, "create the data set"),
          where, file_bytes_};
}

#define SVI_INSTANTIATE(T)                                                                                \
  template Hdf5Dataset Hdf5Group::create_dataset<T>(const std::string&, const std::vector<std::int64_t>&, \
                                                    Storage);                                             \
  template Hdf5Dataset Hdf5Group::create_growing<T>(const std::string&);
SVI_INSTANTIATE(std::uint8_t)
SVI_INSTANTIATE(std::int32_t)
SVI_INSTANTIATE(std::int64_t)
SVI_INSTANTIATE(std::uint64_t)
SVI_INSTANTIATE(float)
SVI_INSTANTIATE(double)
#undef SVI_INSTANTIATE

Hdf5File Hdf5File::open(const std::string& path) {
  const Hdf5Lock lock;
  const std::uint64_t bytes = size_of_readable_file(path);
  if (::access(path.c_str(), R_OK) != 0) {
    throw Error(ExitCode::missing_input, "cannot read {}: {}", path, std::strerror(errno));
  }
  const Hdf5Id access = access_properties(path, ExitCode::bad_data);
  Hdf5Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!file.is_valid()) {
    throw Error(ExitCode::bad_data, "{} is not an HDF5 file, or a damaged one: {}", path, error_stack_text());
  }
  return {std::move(file), path + ": /", bytes};
}

Hdf5File Hdf5File::create(const std::string& path, std::uint64_t user_block_bytes) {
  return create(path, path, user_block_bytes);
}

Hdf5File Hdf5File::create(const AtomicFile& target, std::uint64_t user_block_bytes) {
  return create(target.temporary_path(), target.path(), user_block_bytes);
}

Hdf5File Hdf5File::create(const std::string& path, const std::string& name, std::uint64_t user_block_bytes) {
  const Hdf5Lock lock;
  constexpr ExitCode code = ExitCode::cannot_write;
  const Hdf5Id properties = checked(H5Pcreate(H5P_FILE_CREATE), H5Pclose, code, name, "prepare the file");
  check(H5Pset_userblock(properties.get(), user_block_bytes), code, name, "leave a user block");
  check(H5Pset_obj_track_times(properties.get(), false), code, name, "leave out times");
  const Hdf5Id access = access_properties(name, code);
  // So that `close` really writes everything; an object that outlives it can only fail.
  check(H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG), code, name, "prepare the file");
  Hdf5Id file = checked(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, properties.get(), access.get()), H5Fclose,
                        code, name, "create the file");
  return {std::move(file), name + ": /", 0};
}

void Hdf5File::close() {
  const Hdf5Lock lock;
  check(id_.close(), code(), where_, "finish the file");
}

}  // namespace svi::io
