#pragma once

#include "svi/data/data_file.hpp"

namespace svi::data {

/// @param counts whether the model takes word counts rather than dense rows
/// @param key where the file was named, for the message: "data.test", "--data"
/// @throws Error (bad_data) when the file holds the other kind
void require_layout(const DataFacts& facts, bool counts, const char* key);

/// Evaluation data must have the training data's columns, for counts word by word.
/// @throws Error (bad_data) naming both shapes, or the first word that differs
void require_same_columns(const DataFacts& training, const DataFacts& other, const char* key);

}  // namespace svi::data
