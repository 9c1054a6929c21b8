#pragma once

#include <memory>
#include <string>
#include <vector>

#include "entry_source.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {

/// Where a compressed sparse matrix lies and which way round it is.
struct CompressedLayout {
  std::int64_t documents = 0;
  std::int64_t words = 0;
  bool is_by_document = true;  ///< indptr counts documents and indices name words; else the reverse
};

/// Entries of a group's `indptr`, `indices` and `data`.
/// @throws Error (bad_data) naming the data set: missing, no list of numbers, lengths that do not match,
/// starts that fall; when read, an index out of range or a count that is none, with its element
std::unique_ptr<EntrySource> compressed_entries(const io::Hdf5Group& group, const CompressedLayout& layout);

/// Entries of a matrix [documents, words] that holds zeros too.
std::unique_ptr<EntrySource> dense_entries(io::Hdf5Dataset matrix);

}  // namespace svi::data
