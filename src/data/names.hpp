#pragma once

#include <string>
#include <vector>

#include "svi/data/import_counts.hpp"

namespace svi::data {

/// A name a line; of lines with tabs one column. @param column from 1; 0: the whole line
/// @param what for messages: "a word"
/// @throws Error (bad_data) at an empty line or name, a line without that column, an empty file
std::vector<std::string> read_names(const std::string& path, std::int64_t column, const char* what);

/// The words of the file named, or the numbers first … first + size − 1.
std::vector<std::string> vocabulary_or_numbers(const CountFiles& files, std::int64_t size,
                                               std::int64_t first);

/// The ids of the file named, or none. @throws Error (bad_data) where it has not as many as documents
std::vector<std::string> document_ids_or_none(const CountFiles& files, std::int64_t documents);

}  // namespace svi::data
