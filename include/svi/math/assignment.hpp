#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace svi::math {

/// The assignment of rows to distinct columns whose costs add up to the least: [rows] column numbers.
///
/// The Hungarian method (Kuhn 1955) by shortest augmenting paths with potentials (Jonker, Volgenant 1987).
/// Cost O(rows²·columns). **Local.**
/// @param costs [rows, columns] row by row, finite; rows ≤ columns
std::vector<std::int64_t> least_assignment(std::span<const double> costs, std::int64_t rows,
                                           std::int64_t columns);

}  // namespace svi::math
