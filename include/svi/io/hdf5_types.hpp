#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

namespace svi::io {

/// What this layer reads and writes; HDF5 converts where the file's type differs, clipping what does not fit:
/// read into a wide type, then check.
template <typename T>
concept Number =
    std::same_as<T, std::uint8_t> || std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t> ||
    std::same_as<T, std::uint64_t> || std::same_as<T, float> || std::same_as<T, double>;

/// Fixed: as long as the text, readable by every tool. Variable: UTF-8 as h5py and anndata write it.
enum class TextForm { fixed, variable };

/// Checksummed: in chunks that carry a Fletcher32 each, so that a flipped bit is found when read. Data sets
/// without elements or without dimensions are always contiguous.
enum class Storage { contiguous, checksummed };

/// The type of an element as the file stores it.
struct ElementType {
  enum class Kind { integer, real, text, other };
  Kind kind = Kind::other;
  std::size_t bytes = 0;     ///< of one element
  bool is_signed = false;    ///< of integers
  bool is_variable = false;  ///< of texts

  /// "int32", "uint8", "float64", "text", "a type that is neither number nor text".
  std::string text() const;
  bool is_uint8() const { return kind == Kind::integer && bytes == 1 && !is_signed; }
};

/// Owner of one HDF5 id.
class Hdf5Id {
 public:
  using Close = int (*)(std::int64_t);
  Hdf5Id() = default;
  Hdf5Id(std::int64_t id, Close closer) : id_(id), close_(closer) {}
  ~Hdf5Id();
  Hdf5Id(Hdf5Id&& other) noexcept;
  Hdf5Id& operator=(Hdf5Id&& other) noexcept;

  std::int64_t get() const { return id_; }
  bool is_valid() const { return id_ >= 0; }
  /// Closes now, and returns what the closing function did: negative when it failed.
  int close();

 private:
  std::int64_t id_ = -1;
  Close close_ = nullptr;
};

}  // namespace svi::io
