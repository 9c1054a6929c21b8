#pragma once

#include <string>
#include <vector>

#include "svi/base/options.hpp"

namespace CLI {
class Option;
}

namespace svi::cli {

/// Lets a number's option take only a range, which --help and the refusal state in words.
CLI::Option* within(CLI::Option* option, const Range& range);

/// Refuses, before the work rather than after it, an output file that cannot be written or is an input.
/// @param inputs files that are read; those that are not there do no harm
/// @throws Error (usage) when it has no name or is an input, (cannot_write) when it is a folder or in none
void require_output(const std::string& output, const std::vector<std::string>& inputs);

/// Refuses an output that is an input, by whatever name or link. @throws Error (usage)
void require_other_file(const std::string& output, const std::vector<std::string>& inputs);

}  // namespace svi::cli
