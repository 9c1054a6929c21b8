#include "svi/core/shared_work.hpp"

#include <algorithm>

#include "svi/base/pages.hpp"

namespace svi {

Part SharedWork::part(std::int64_t count, std::int64_t unit) const {
  const std::int64_t units = (count + unit - 1) / unit;
  const auto begin_of = [&](std::int64_t rank) { return std::min(count, units * rank / size() * unit); };
  return {begin_of(rank()), begin_of(rank() + 1)};
}

std::byte* SharedWork::memory(const std::string& name, std::int64_t bytes) {
  constexpr std::int64_t least = 64;  // none at all is not to be had
  bytes = std::max(bytes, least);
  Memory& memory = memories_[name];
  if (!memory.first || memory.bytes < bytes) {
    // A quarter more, since minibatches differ; what has grown once seldom does again.
    memory.bytes = memory.first ? bytes + bytes / 4 : bytes;
    memory.first.reset();
    memory.first = allocate(memory.bytes);
  }
  return static_cast<std::byte*>(memory.first.get());
}

std::shared_ptr<void> SharedWork::owner(const std::string& name) const {
  const auto found = memories_.find(name);
  return found == memories_.end() ? nullptr : found->second.first;
}

std::shared_ptr<void> SharedWork::allocate(std::int64_t bytes) {
  return zeroed_pages(static_cast<std::size_t>(bytes));
}

}  // namespace svi
