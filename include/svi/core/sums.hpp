#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace svi {

/// Names and lengths of the sums a model or an evaluation adds up.
using SumLayout = std::vector<std::pair<std::string, std::int64_t>>;

/// Named float64 sums over data points in one flat buffer, so that one all-reduce adds them over ranks.
///
/// Only sums, never means: unequal and empty shards are then right by construction. **Local.**
class Sums {
 public:
  Sums() = default;
  explicit Sums(SumLayout layout);

  /// The sums of one name. @throws Error (internal) when there is none
  std::span<double> operator[](std::string_view name);
  std::span<const double> operator[](std::string_view name) const;
  /// The only element of a sum of length one.
  double& scalar(std::string_view name) { return (*this)[name].front(); }
  double scalar(std::string_view name) const { return (*this)[name].front(); }

  bool contains(std::string_view name) const;

  std::span<double> flat() { return values_; }
  std::span<const double> flat() const { return values_; }
  const SumLayout& layout() const { return layout_; }
  void clear();

 private:
  std::pair<std::size_t, std::size_t> place(std::string_view name) const;

  SumLayout layout_;
  std::vector<double> values_;
};

}  // namespace svi
