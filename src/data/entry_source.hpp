#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/data/import_counts.hpp"

namespace svi::data {

/// One nonzero of a matrix of documents × words, both counted from 0.
struct Entry {
  std::int32_t document;
  std::int32_t word;
  float count;
};

/// The entries of a file, in its order. **Local.**
class EntrySource {
 public:
  EntrySource() = default;
  EntrySource(const EntrySource&) = delete;
  EntrySource& operator=(const EntrySource&) = delete;
  virtual ~EntrySource() = default;

  /// Fills the span as far as there are entries; 0 at the end. @throws Error (bad_data)
  virtual std::size_t read(std::span<Entry> entries) = 0;
  /// Back to the first entry. @throws Error (missing_input) of what can be read only once
  virtual void rewind() = 0;
  /// What to say of an entry (counted from 0) whose word its document already has.
  virtual Error repeated(std::int64_t number, const Entry& entry) const = 0;
};

/// The names that a corpus gets.
struct Names {
  std::vector<std::string> vocabulary;
  std::vector<std::string> document_ids;  // empty: the row numbers
};

/// Writes what a source holds: in one pass where documents do not fall, else in one that counts and one for
/// each range of documents that has at most `files.entries_in_memory` entries.
CountsSummary write_entries(EntrySource& source, std::int64_t documents, const Names& names,
                            const CountFiles& files);

}  // namespace svi::data
