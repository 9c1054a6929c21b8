#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "svi/data/corpus.hpp"
#include "svi/io/atomic_file.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {

/// Writes a count file row by row in AnnData's CSR layout that `anndata.read_h5ad` opens; atomic.
///
/// Holds 8 MiB of entries and the row starts (8 bytes a row), whatever the size of the corpus. **Local.**
class CountsWriter {
 public:
  /// @throws Error (cannot_write), see io::AtomicFile
  explicit CountsWriter(const std::string& path);

  /// Appends a row.
  /// @param words [entries] ascending, none twice; @param counts [entries]
  void add_row(std::span<const std::int32_t> words, std::span<const float> counts);
  /// Appends rows without entries until there are `rows`.
  void fill_to(std::int64_t rows);

  std::int64_t rows() const { return std::ssize(starts_) - 1; }
  /// One more than the highest word so far.
  std::int64_t columns() const { return columns_; }

  /// Writes the names and moves the file to its place; nothing may follow.
  /// @param document_ids [N] or empty: then the row numbers
  /// @throws Error (cannot_write), (internal) when names and rows do not match
  CountsSummary finish(const std::vector<std::string>& vocabulary,
                       const std::vector<std::string>& document_ids);

 private:
  void flush(std::size_t entries);
  void write_matrix(std::int64_t columns);

  io::AtomicFile target_;
  io::Hdf5File file_;
  std::optional<io::Hdf5Group> matrix_;
  std::optional<io::Hdf5Dataset> indices_;  // made when there is more than a block
  std::optional<io::Hdf5Dataset> data_;
  std::vector<std::int64_t> starts_{0};
  std::vector<std::int32_t> words_;  // of the entries that are not written yet
  std::vector<float> counts_;
  std::int64_t columns_ = 0;
  double tokens_ = 0;
};

}  // namespace svi::data
