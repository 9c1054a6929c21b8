#pragma once

#include <cstdint>

#include "svi/base/sha256.hpp"
#include "svi/core/minibatch.hpp"

namespace svi::data {

/// Adds the contents of one row, alike on every machine; features must be contiguous.
void add_row(Sha256& digest, const Rows& rows, std::int64_t place);

}  // namespace svi::data
