#pragma once

#include <cstdint>
#include <string>

#include "svi/core/parameter_set.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::checkpoint {

/// Writes the tensors of `set` into `group`: "encoder.0/weight" as the data set `weight` in `encoder.0`.
/// @throws Error (cannot_write) **Local.**
void write_set(io::Hdf5Group group, const ParameterSet& set);

/// Reads them back, in their order.
/// @param budget_bytes what the sets of one file may still want in memory: its own size, since nothing in it
/// is compressed; reduced by what this one takes, before anything is allocated
/// @throws Error (bad_data) **Local.**
ParameterSet read_set(const io::Hdf5Group& group, std::int64_t& budget_bytes);

/// The sums of lazy matrices (LazyScale), a data set each, named by the tensor's position. **Local.**
void write_column_sums(io::Hdf5Group group, const ParameterSet& set);
/// Fills in what `read_set` left out. @throws Error (bad_data) **Local.**
void read_column_sums(const io::Hdf5Group& group, std::int64_t& budget_bytes, ParameterSet& set);

}  // namespace svi::checkpoint
