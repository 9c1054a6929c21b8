#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "svi/core/completion.hpp"

namespace svi::data {

/// A file that `write_split` wrote.
struct SplitFile {
  std::string path;
  std::int64_t rows;
};

/// Writes the rows that training with the same fraction and seed trains on and holds out, as files of their
/// own: `train.h5` and `validation.h5`, and of counts also `validation-observed.h5` and
/// `validation-predicted.h5`, the halves of document completion, so that other tools can be compared.
///
/// `obs/_index` holds each document's row number in the original file, which the halves depend on.
/// @param fraction above 0, below 1 @param completion which half is observed
/// @param directory made where it is missing
/// @throws Error (missing_input, bad_data) of DataFile; (bad_data) when a side would have no row;
/// (cannot_write). **Local.**
std::vector<SplitFile> write_split(const std::string& path, double fraction, std::uint64_t split_seed,
                                   const std::string& directory,
                                   Completion completion = Completion::tokens);

}  // namespace svi::data
