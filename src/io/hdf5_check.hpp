#pragma once

#include <hdf5.h>

#include <concepts>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::io {

static_assert(std::same_as<hid_t, std::int64_t> && std::same_as<herr_t, int>);

/// Stops HDF5 from printing errors in this thread and from crashing at exit; must come before any other call.
void silence();

/// HDF5 for one thread at a time: every public function holds it as long as it calls HDF5, from the first
/// call to the last look at the error stack. One thread may hold several.
class Hdf5Lock {
 public:
  Hdf5Lock() : lock_(mutex()) { silence(); }

 private:
  static std::recursive_mutex& mutex();
  std::scoped_lock<std::recursive_mutex> lock_;
};

/// What HDF5's error stack says, innermost reason first; empties the stack.
std::string error_stack_text();

/// Throws unless `result` is at least zero; `what` completes "cannot …".
template <typename Result>
Result check(Result result, ExitCode code, const std::string& where, const char* what) {
  if (result < 0) throw Error(code, "{}: cannot {}: {}", where, what, error_stack_text());
  return result;
}

inline Hdf5Id checked(hid_t id, Hdf5Id::Close closer, ExitCode code, const std::string& where,
                      const char* what) {
  return {check(id, code, where, what), closer};
}

/// HDF5's name of a type in memory.
template <Number T>
hid_t memory_type() {
  if constexpr (std::same_as<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::same_as<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::same_as<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::same_as<T, std::uint64_t>) return H5T_NATIVE_UINT64;
  if constexpr (std::same_as<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::same_as<T, double>) return H5T_NATIVE_DOUBLE;
}

/// The same in a file: little-endian on every machine.
template <Number T>
hid_t file_type() {
  if constexpr (std::same_as<T, std::uint8_t>) return H5T_STD_U8LE;
  if constexpr (std::same_as<T, std::int32_t>) return H5T_STD_I32LE;
  if constexpr (std::same_as<T, std::int64_t>) return H5T_STD_I64LE;
  if constexpr (std::same_as<T, std::uint64_t>) return H5T_STD_U64LE;
  if constexpr (std::same_as<T, float>) return H5T_IEEE_F32LE;
  if constexpr (std::same_as<T, double>) return H5T_IEEE_F64LE;
}

/// An id of one of HDF5's own types or spaces, which is not to be closed.
inline Hdf5Id borrowed(hid_t id) { return {id, nullptr}; }

ElementType element_type(const Hdf5Id& type);

/// UTF-8 text: of variable length, or fixed at `bytes` and padded with zeros.
Hdf5Id variable_text_type(const std::string& where, ExitCode code);
Hdf5Id fixed_text_type(std::size_t bytes, const std::string& where, ExitCode code);

/// For H5Literate and H5Aiterate2: adds a name to the vector of strings `names`.
template <typename Info>
herr_t append_name(hid_t, const char* name, const Info*, void* names) noexcept {
  try {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
  } catch (const std::exception&) {
    return -1;
  }
}

/// The text in a fixed-length field, without its padding.
std::string unpadded(const char* field, std::size_t bytes, const Hdf5Id& type);

/// Refuses a text that would be cut at its zero byte.
void require_no_zero_byte(std::string_view text, const std::string& where);

}  // namespace svi::io
