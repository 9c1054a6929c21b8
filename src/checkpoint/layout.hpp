#pragma once

#include <cstdint>

// What writing and reading agree on; docs/checkpoint.md lists all of it.
namespace svi::checkpoint::layout {

constexpr const char* format = "svi-train";
constexpr std::int64_t schema_major = 1;  // grows when older readers would misread
constexpr std::int64_t schema_minor = 5;  // grows when something is added that they may ignore

}  // namespace svi::checkpoint::layout
