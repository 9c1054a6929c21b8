#include "svi/core/sums.hpp"

#include <algorithm>

#include "svi/base/error.hpp"

namespace svi {

Sums::Sums(SumLayout layout) : layout_(std::move(layout)) {
  std::size_t size = 0;
  for (const auto& [name, length] : layout_) size += static_cast<std::size_t>(length);
  values_.assign(size, 0.0);
}

std::pair<std::size_t, std::size_t> Sums::place(std::string_view wanted) const {
  std::size_t first = 0;
  for (const auto& [name, length] : layout_) {
    if (name == wanted) return {first, static_cast<std::size_t>(length)};
    first += static_cast<std::size_t>(length);
  }
  throw Error(ExitCode::internal, "there is no sum named {}", wanted);
}

std::span<double> Sums::operator[](std::string_view name) {
  const auto [first, length] = place(name);
  return std::span(values_).subspan(first, length);
}

std::span<const double> Sums::operator[](std::string_view name) const {
  const auto [first, length] = place(name);
  return std::span(values_).subspan(first, length);
}

bool Sums::contains(std::string_view name) const {
  return std::ranges::any_of(layout_, [&](const auto& entry) { return entry.first == name; });
}

void Sums::clear() { std::fill(values_.begin(), values_.end(), 0.0); }

}  // namespace svi
