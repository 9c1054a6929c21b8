#include "unknown_key.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "svi/config/document.hpp"

namespace svi::config {

namespace {

std::string_view last_part(std::string_view key) { return key.substr(key.rfind('.') + 1); }

std::string_view all_but_last(std::string_view key) {
  const std::size_t dot = key.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
}

std::string first_part(std::string_view key) { return std::string(key.substr(0, key.find('.'))); }

// Names count before sections: `optimizer.batch` means train.batch, whatever else the optimizer has.
std::optional<std::string> nearest_key(std::string_view key, const std::set<std::string>& known) {
  std::optional<std::string> best;
  std::pair<std::size_t, std::size_t> best_distance;
  for (const std::string& candidate : known) {
    const std::pair distance{edit_distance(last_part(key), last_part(candidate)),
                             edit_distance(all_but_last(key), all_but_last(candidate))};
    if (!is_slip(last_part(key), distance.first) || (best && distance >= best_distance)) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::vector<std::string_view> keys_below(std::string_view section, const std::set<std::string>& known) {
  std::vector<std::string_view> keys;
  for (const std::string& key : known) {
    if (is_below(key, section)) keys.push_back(std::string_view(key).substr(section.size() + 1));
  }
  return keys;
}

}  // namespace

bool is_below(std::string_view key, std::string_view above) {
  return key.size() > above.size() && key.starts_with(above) && key[above.size()] == '.';
}

std::string advice(std::string_view key, const std::set<std::string>& known) {
  constexpr std::size_t longest = 256;  // distances cost length times length
  if (key.size() > longest) return "no key is that long";
  if (const auto inside = keys_below(key, known); !inside.empty()) {
    return fmt::format("it is a section; its keys are: {}", fmt::join(inside, ", "));
  }
  if (const auto meant = nearest_key(key, known)) return fmt::format("did you mean {}?", *meant);
  const auto parent = known.find(std::string(all_but_last(key)));
  if (parent != known.end()) return fmt::format("{} takes a value and no keys below it", *parent);
  const std::string section = first_part(key);
  if (const auto siblings = keys_below(section, known); !siblings.empty()) {
    return fmt::format("{} has: {}", section, fmt::join(siblings, ", "));
  }
  std::set<std::string> sections;
  for (const std::string& each : known) sections.insert(first_part(each));
  if (const auto meant = nearest(section, sections))
    return fmt::format("did you mean the section {}?", *meant);
  return fmt::format("the sections are: {}", fmt::join(sections, ", "));
}

}  // namespace svi::config
