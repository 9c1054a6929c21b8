#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "svi/comm/communicator.hpp"
#include "svi/core/contribution.hpp"

namespace svi::trainer {

/// "the ELBO is" when one of the totals is not finite, else null. **Local.**
const char* nonfinite_terms(const Contribution& total);

/// "the gradient is" when an element of the direction is not finite, or the sum of their squares is not in
/// the elements' type, so that no rule's second moment overflows; else null. **Local.**
const char* nonfinite_direction(const Contribution& total);

/// The rows of all ranks, ascending: the same list for any number of ranks. Of more than 100,000 rows so many
/// are told, and which ones depends on the ranks. **Collective.**
std::vector<std::int64_t> rows_of_all_ranks(comm::Communicator& communicator,
                                            std::span<const std::int64_t> ids);

/// The name of the file that tells of a step. @param step the one that was to be completed
std::string nonfinite_file(std::int64_t step);

/// For the message that ends a run: how many steps were skipped before; empty when none was.
std::string skips_text(std::int64_t skipped);

}  // namespace svi::trainer
