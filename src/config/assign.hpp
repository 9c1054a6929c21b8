#pragma once

#include <string>

#include "svi/base/options.hpp"
#include "svi/config/document.hpp"

namespace svi::config {

/// Gives an option the value of a leaf.
///
/// Strict: `128` is an integer, `1e3` and `"128"` are not; nan and infinity are no reals; a flag is `true` or
/// `false`. Nothing is rounded, and what does not fit is refused.
/// @param key the option's whole dotted key, for messages
/// @throws Error (bad_config) with place, key, what was found and what is expected
void assign(const Option& option, const std::string& key, const Leaf& leaf);

/// "`[400, 2x]`", "`"128"` in quotes", "`0`": what a message says was found.
std::string found_text(const Leaf& leaf);

}  // namespace svi::config
