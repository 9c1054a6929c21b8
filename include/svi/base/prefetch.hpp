#pragma once

#include <cstdint>

#include "svi/base/cpu_versions.hpp"

namespace svi {

enum class Access { read, write };

/// Asks for a row some time before it is read, or written: rows that lie at random the processor cannot foresee.
/// @param size elements of the row **Local.**
template <Access access, typename Element>
SVI_INLINE void prefetch(const Element* row, std::int64_t size) {
  constexpr std::int64_t line = 64 / static_cast<std::int64_t>(sizeof(Element));
  for (std::int64_t i = 0; i < size; i += line) __builtin_prefetch(row + i, access == Access::write ? 1 : 0);
}

}  // namespace svi
