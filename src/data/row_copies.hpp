#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "svi/core/minibatch.hpp"
#include "svi/data/data_file.hpp"

namespace svi::data {

/// Room for rows like a file's, to be filled from the first to the last by `put_row`.
/// @param entries of word counts, so that nothing is allocated twice
Rows empty_rows(const DataFacts& facts, std::int64_t rows, std::int64_t entries = 0);

/// Copies one row of the same kind; word counts are appended, so that places must come in turn.
void put_row(Rows& target, std::int64_t place, const Rows& source, std::int64_t source_place);

/// The rows at these places, in any order; word counts by `parallel_parts`, so not beside other work of it.
Rows gathered(const Rows& source, std::span<const std::int64_t> places);

/// File rows, ascending: read in runs, so that nearly contiguous rows cost one pass.
/// @throws Error (bad_data), see DataFile::read
Rows read_rows(const DataFile& file, std::span<const std::int64_t> rows);

/// File rows in any order, none twice: read ascending, then put into that order. On this thread alone, since
/// it may run beside training.
Rows read_in_order(const DataFile& file, std::span<const std::int64_t> rows);

/// Bytes in memory.
std::int64_t bytes_of(const Rows& rows);

}  // namespace svi::data
