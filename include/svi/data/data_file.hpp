#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "svi/core/minibatch.hpp"
#include "svi/data/corpus.hpp"

namespace svi::data {

enum class Layout { counts, dense };

/// What a data file says of itself.
struct DataFacts {
  std::string path;  ///< absolute
  Layout layout = Layout::dense;
  std::int64_t rows = 0;                    ///< N
  std::int64_t columns = 0;                 ///< V or D
  std::vector<std::int64_t> feature_shape;  ///< of a dense row, [28, 28]; of counts [V]
  std::int64_t entries = 0;                 ///< nonzeros of counts; N·D of dense
  bool is_uint8 = false;                    ///< dense features are bytes
  bool has_labels = false;
  std::vector<std::string> vocabulary;  ///< [V] of counts
  /// SHA-256 over layout, shape, row starts, vocabulary and 64 evenly spaced rows: cheap, so that every rank
  /// can compare its copy of the file with the others'.
  std::string fingerprint;
};

/// An HDF5 file of rows, open for reading: word counts in AnnData's CSR layout, or dense `x` and `y`.
///
/// Each rank opens it for itself and reads only the rows it asks for. Reading changes nothing in it, so that
/// two threads may read at once; the calls of HDF5 itself go one after another (see svi/io/hdf5.hpp).
/// **Local.**
class DataFile {
 public:
  /// @throws Error (missing_input) when there is no such file, (bad_data) when it is not HDF5, of neither
  /// layout, inconsistent, or empty
  explicit DataFile(const std::string& path);
  ~DataFile();
  DataFile(DataFile&&) noexcept;

  const DataFacts& facts() const;

  /// Entries of counts before each of the given row numbers (ascending, each in 0 … N): what balances ranks.
  std::vector<std::int64_t> entries_before(std::span<const std::int64_t> rows) const;

  /// Entries of these rows: of counts as stored, of dense rows all.
  std::int64_t entries_of(std::span<const std::int64_t> rows) const;
  /// What these rows take in memory.
  std::int64_t bytes_of(std::span<const std::int64_t> rows) const;

  /// Rows [first, last). Words of a row are sorted where they come unsorted.
  /// @throws Error (bad_data) naming file and row: index out of range or repeated; count negative, not a
  /// whole number or not finite; features not finite
  Rows read(std::int64_t first, std::int64_t last) const;

  /// The label of every row [N], without its features; none where the file has no labels.
  std::vector<std::int64_t> read_labels() const;

 private:
  struct Open;
  std::unique_ptr<Open> open_;
};

/// The documents' ids (`obs/_index`), or the row numbers where a file has no `obs`: [N].
/// @throws Error (bad_data) when they are no texts, or not as many as rows
std::vector<std::string> read_document_ids(const DataFacts& facts);

/// Opens the file in a child process and throws it away: HDF5 (seen with 1.10.8) can crash or loop for ever
/// on damaged variable-length texts, and a message is better than that. Before MPI and threads are started.
/// @throws Error (bad_data) when the child is ended by a signal; what is otherwise wrong is DataFile's to
/// tell
void open_in_child(const std::string& path);
/// The same with another way of opening; an exception of it is not told, as the caller will meet it again.
void try_in_child(const std::string& path, const std::function<void()>& open);

/// Writes a count file in AnnData's CSR layout that `anndata.read_h5ad` opens; atomic (see io::AtomicFile).
/// @param document_ids [N] or empty: then the row numbers
/// @throws Error (cannot_write)
CountsSummary write_counts(const std::string& path, const CountRows& rows,
                           const std::vector<std::string>& vocabulary,
                           const std::vector<std::string>& document_ids);

/// Writes a dense file: `x` [N, feature_shape…] and, where labels are defined, `y` [N]; atomic.
/// @throws Error (cannot_write)
void write_dense(const std::string& path, const DenseRows& rows,
                 const std::vector<std::int64_t>& feature_shape);

}  // namespace svi::data
