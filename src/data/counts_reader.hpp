#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "svi/core/minibatch.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {

/// Word counts in AnnData's CSR layout, checked as far as the row starts go; entries are checked when read.
class CountsReader {
 public:
  /// @param root of a file whose `X` is a group
  /// @throws Error (bad_data), see DataFile
  explicit CountsReader(const io::Hdf5Group& root);

  std::int64_t rows() const { return std::ssize(starts_) - 1; }
  std::int64_t columns() const { return columns_; }
  const std::vector<std::int64_t>& starts() const { return starts_; }  ///< [N + 1]
  const std::vector<std::string>& vocabulary() const { return vocabulary_; }

  CountRows read(std::int64_t first, std::int64_t last) const;

 private:
  struct Entry {
    std::int32_t word;
    float count;
  };
  void read_starts(const io::Hdf5Group& x, std::int64_t rows);
  std::int64_t end_of_block(std::int64_t first, std::int64_t last) const;
  void append_row(CountRows& result, std::int64_t row, std::span<const std::int64_t> words,
                  std::span<const double> counts, std::vector<Entry>& entries) const;
  Entry checked_entry(std::int64_t row, std::int64_t word, double count) const;

  io::Hdf5Dataset indices_;
  io::Hdf5Dataset data_;
  std::int64_t columns_ = 0;
  std::vector<std::int64_t> starts_;
  std::vector<std::string> vocabulary_;
};

}  // namespace svi::data
