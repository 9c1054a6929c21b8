#pragma once

#include <string>
#include <vector>

namespace svi::data {

/// The values of one string attribute of an ARFF file (Weka's format), a value a row, escapes undone.
/// @param attribute its name in the header, case ignored
/// @throws Error (missing_input); (bad_data) naming file and line: no such attribute, an unclosed quote,
/// another number of values than attributes
std::vector<std::string> read_arff_texts(const std::string& path, const std::string& attribute);

}  // namespace svi::data
