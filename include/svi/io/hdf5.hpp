#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/io/atomic_file.hpp"
#include "svi/io/hdf5_types.hpp"

/// A thin layer over HDF5's C API (1.10 and later, serial): objects own their ids, every call is checked, and
/// errors carry the file, the object and what HDF5 said, instead of being printed.
///
/// Reading trusts nothing: only hard links are followed (none leaves the file), data stored in other files
/// and filters other than deflate, shuffle and Fletcher32 are refused, and sizes are compared with what the
/// file really stores before anything is allocated. Files are opened without HDF5's file locks, so that any
/// number of ranks read at once, also on network file systems; writers go through AtomicFile. The environment
/// variable HDF5_USE_FILE_LOCKING overrides that. HDF5's serial library need not be thread-safe: every
/// function takes one lock of the process for as long as it calls HDF5, so that a thread may read one file
/// while another writes another. HDF5 1.10 itself can crash on a file whose inner structures are damaged
/// (seen: heaps of variable-length texts); what has to survive that is verified by a digest before HDF5 sees
/// it, as checkpoints are. **Local.**
namespace svi::io {

/// What groups and data sets share: a place for messages, and attributes.
class Hdf5Node {
 public:
  /// "FILE: /X/data", as messages name it.
  const std::string& where() const { return where_; }

  bool has_attribute(const std::string& name) const;
  /// Sorted.
  std::vector<std::string> attribute_names() const;
  /// @throws Error (bad_data) when it is missing or no single text; fixed and variable length both read
  std::string text_attribute(const std::string& name) const;
  /// @throws Error (bad_data) when it is missing, no integer or not single
  std::int64_t integer_attribute(const std::string& name) const;
  /// @throws Error (bad_data) when it is missing, no number or not single
  double real_attribute(const std::string& name) const;
  /// @throws Error (bad_data) when it is missing or no list of integers
  std::vector<std::int64_t> integers_attribute(const std::string& name) const;

  void set_attribute(const std::string& name, std::string_view text, TextForm form);
  void set_attribute(const std::string& name, std::int64_t value);
  void set_attribute(const std::string& name, double value);
  void set_attribute(const std::string& name, std::span<const std::int64_t> values);
  void set_attribute(const std::string&, const char*) = delete;  // a form must be named

 protected:
  Hdf5Node(Hdf5Id id, std::string where, std::uint64_t file_bytes)
      : id_(std::move(id)), where_(std::move(where)), file_bytes_(file_bytes) {}
  /// Of errors: bad_data when reading, cannot_write when writing.
  ExitCode code() const { return file_bytes_ > 0 ? ExitCode::bad_data : ExitCode::cannot_write; }

  Hdf5Id id_;
  std::string where_;
  std::uint64_t file_bytes_;  // 0: the file is being written

 private:
  Hdf5Id open_attribute(const std::string& name, bool must_be_single) const;
  void write_attribute(const std::string& name, const Hdf5Id& type, const Hdf5Id& space, const void* value);
};

/// An array of numbers or texts.
class Hdf5Dataset : public Hdf5Node {
 public:
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t elements() const;
  const ElementType& type() const { return type_; }
  /// Whether a filter besides Fletcher32 stands between the values and the file. Of data sets being read.
  bool is_compressed() const { return is_compressed_; }

  /// Elements [first, last) of the first dimension, with all of the others.
  /// @param values exactly as many as that is
  /// @throws Error (bad_data) when HDF5 can't read them: truncated, or a checksum that does not match
  template <Number T>
  void read_rows(std::int64_t first, std::int64_t last, std::span<T> values) const;
  template <Number T>
  std::vector<T> read() const;
  /// All texts of a one-dimensional array, of fixed or variable length.
  /// @throws Error (bad_data) when they are no texts, or longer together than the file
  std::vector<std::string> read_texts() const;

  template <Number T>
  void write(std::span<const T> values);
  /// Elements [first, last) of the first dimension.
  template <Number T>
  void write_rows(std::int64_t first, std::int64_t last, std::span<const T> values);
  /// Lengthens an array made by `create_growing`.
  template <Number T>
  void append(std::span<const T> values);

 private:
  friend class Hdf5Group;
  struct Selection;
  Hdf5Dataset(Hdf5Id id, std::string where, std::uint64_t file_bytes);
  void require_plain_storage();
  void require_stored(const Hdf5Id& properties) const;
  Selection select(std::int64_t first, std::int64_t last, std::size_t count) const;
  std::vector<std::string> read_fixed_texts(const Hdf5Id& type) const;
  std::vector<std::string> read_variable_texts(const Hdf5Id& type) const;
  void write_texts(const std::vector<std::string>& texts, const Hdf5Id& type);

  std::vector<std::int64_t> shape_;
  ElementType type_;
  bool is_compressed_ = false;
};

/// A folder inside a file.
class Hdf5Group : public Hdf5Node {
 public:
  /// Names of all links, sorted.
  std::vector<std::string> names() const;
  bool has_group(const std::string& name) const;
  bool has_dataset(const std::string& name) const;

  /// One step down; the name holds no '/'.
  /// @throws Error (bad_data) when it is missing, of another kind, or anything but a hard link
  Hdf5Group group(const std::string& name) const;
  /// @throws Error (bad_data) as `group`; and when its data lie in another file, need a filter other than
  /// deflate, shuffle and Fletcher32, or are said to be larger than what the file stores
  Hdf5Dataset dataset(const std::string& name) const;

  Hdf5Group create_group(const std::string& name);
  /// @param shape {} is a single number
  template <Number T>
  Hdf5Dataset create_dataset(const std::string& name, const std::vector<std::int64_t>& shape,
                             Storage storage);
  /// A one-dimensional array without elements yet, checksummed; see Hdf5Dataset::append.
  template <Number T>
  Hdf5Dataset create_growing(const std::string& name);
  /// Creates and writes a one-dimensional array of texts; fixed ones are padded to the longest with zeros.
  Hdf5Dataset create_texts(const std::string& name, const std::vector<std::string>& texts, TextForm form);
  /// The same of fixed texts that lie one after another, each `bytes` long and padded with zeros.
  Hdf5Dataset create_text_fields(const std::string& name, std::string_view fields, std::size_t bytes);

 protected:
  using Hdf5Node::Hdf5Node;

 private:
  /// The object behind a hard link, or an error; none when there is no such link.
  Hdf5Id open_child(const std::string& name) const;
  std::string where_of(const std::string& name) const;
  Hdf5Dataset create(const std::string& name, const Hdf5Id& type, const std::vector<std::int64_t>& shape,
                     Storage storage);
};

/// A file; it is its own root group.
class Hdf5File : public Hdf5Group {
 public:
  /// @throws Error (missing_input) when there is no such file or it can't be read, (bad_data) when it is no
  /// HDF5 file or a damaged one
  static Hdf5File open(const std::string& path);
  /// Replaces the file. The same contents give the same bytes: no times are stored.
  /// @param user_block_bytes left free at the start: 0, 512 or a larger power of two
  /// @throws Error (cannot_write)
  static Hdf5File create(const std::string& path, std::uint64_t user_block_bytes = 0);
  /// The same as the temporary file of `target`, whose own path stands in messages.
  static Hdf5File create(const AtomicFile& target, std::uint64_t user_block_bytes = 0);

  /// Closes a written file; all other objects of the file must be gone. Without it the end of the object
  /// closes the file, and an error, such as a full disk, goes unseen.
  /// @throws Error (cannot_write) when what was buffered can't be written
  void close();

 private:
  using Hdf5Group::Hdf5Group;
  static Hdf5File create(const std::string& path, const std::string& name, std::uint64_t user_block_bytes);
};

}  // namespace svi::io
