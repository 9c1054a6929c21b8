#pragma once

#include <cstddef>
#include <memory>

namespace svi {

/// Gives zeroed_pages() back.
struct FreePages {
  std::size_t bytes = 0;
  void operator()(void* first) const noexcept;
};

using Pages = std::unique_ptr<void, FreePages>;

/// Zeroed memory on a 64-byte boundary; from 1 MiB on in pages of 2 MiB where the system has them.
///
/// Products step from row to row of a matrix, topic models through rows at random: in pages of 4 KiB nearly every such
/// step needs another entry of the processor's table of pages. What is never touched takes no memory. **Local.**
/// @throws std::bad_alloc
Pages zeroed_pages(std::size_t bytes);

}  // namespace svi
