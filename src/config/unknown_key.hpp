#pragma once

#include <set>
#include <string>
#include <string_view>

namespace svi::config {

/// What to write in place of a key that nobody knows: the nearest known key, else what its section has.
std::string advice(std::string_view key, const std::set<std::string>& known);

/// Whether `key` is `above` with more parts: a.b.c is below a.b.
bool is_below(std::string_view key, std::string_view above);

}  // namespace svi::config
