#include "svi/base/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <utility>

namespace svi {

bool Range::contains(double value) const {
  const bool above_lowest = lowest_is_open ? value > lowest : value >= lowest;
  const bool below_highest = highest_is_open ? value < highest : value <= highest;
  return above_lowest && below_highest;
}

std::string Range::text() const {
  const bool has_lowest = std::isfinite(lowest);
  const bool has_highest = std::isfinite(highest);
  const std::string low = fmt::format("{} {}", lowest_is_open ? "above" : "at least", lowest);
  const std::string high = fmt::format("{} {}", highest_is_open ? "below" : "at most", highest);
  if (has_lowest && has_highest && !lowest_is_open && !highest_is_open) {
    return fmt::format("{} to {}", lowest, highest);
  }
  if (has_lowest && has_highest) return low + " and " + high;
  if (has_lowest) return low;
  return has_highest ? high : "any";
}

namespace {

struct KindOf {
  std::string operator()(bool*) const { return "true or false"; }
  std::string operator()(std::int64_t*) const { return "integer"; }
  std::string operator()(double*) const { return "real"; }
  std::string operator()(std::string*) const { return "text"; }
  std::string operator()(std::vector<std::int64_t>*) const { return "list of integers"; }
  std::string operator()(std::vector<double>*) const { return "list of reals"; }
  std::string operator()(NumberOrWord*) const { return "real or choice"; }
};

struct ValueText {
  std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
  std::string operator()(const std::int64_t* value) const { return fmt::format("{}", *value); }
  std::string operator()(const double* value) const { return fmt::format("{}", *value); }
  std::string operator()(const std::string* value) const {
    // Every text is quoted: "no", "1e3" and "null" would otherwise come back as something else.
    std::string quoted = "\"";
    for (const char c : *value) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    return quoted + '"';
  }
  std::string operator()(const NumberOrWord* value) const {
    if (!value->list.empty()) return fmt::format("[{}]", fmt::join(value->list, ", "));
    return value->word.empty() ? (*this)(&value->number) : (*this)(&value->word);
  }
  std::string operator()(const std::vector<std::int64_t>* value) const {
    return fmt::format("[{}]", fmt::join(*value, ", "));
  }
  std::string operator()(const std::vector<double>* value) const {
    return fmt::format("[{}]", fmt::join(*value, ", "));
  }
};

}  // namespace

std::string Option::kind() const {
  const bool is_text = std::holds_alternative<std::string*>(target);
  if (takes_list) return "real, list or choice";
  return is_text && !choices.empty() ? "choice" : std::visit(KindOf{}, target);
}

std::string Option::value_text() const { return std::visit(ValueText{}, target); }

void OptionSet::flag(std::string name, bool& value, std::string help) {
  options_.push_back({std::move(name), "", std::move(help), &value, Range::any(), {}});
}

void OptionSet::integer(std::string name, std::int64_t& value, Range range, std::string unit,
                        std::string help) {
  options_.push_back({std::move(name), std::move(unit), std::move(help), &value, range, {}});
}

void OptionSet::real(std::string name, double& value, Range range, std::string unit, std::string help) {
  options_.push_back({std::move(name), std::move(unit), std::move(help), &value, range, {}});
}

void OptionSet::real_or_choice(std::string name, NumberOrWord& value, Range range,
                               std::vector<std::string> words, std::string help) {
  options_.push_back({std::move(name), "", std::move(help), &value, range, std::move(words)});
}

void OptionSet::reals_or_choice(std::string name, NumberOrWord& value, Range range,
                                std::vector<std::string> words, std::string help) {
  real_or_choice(std::move(name), value, range, std::move(words), std::move(help));
  options_.back().takes_list = true;
}

void OptionSet::text(std::string name, std::string& value, std::string help) {
  options_.push_back({std::move(name), "", std::move(help), &value, Range::any(), {}});
}

void OptionSet::choice(std::string name, std::string& value, std::vector<std::string> choices,
                       std::string help) {
  options_.push_back({std::move(name), "", std::move(help), &value, Range::any(), std::move(choices)});
}

void OptionSet::integers(std::string name, std::vector<std::int64_t>& value, Range each, std::string unit,
                         std::string help) {
  options_.push_back({std::move(name), std::move(unit), std::move(help), &value, each, {}});
}

void OptionSet::reals(std::string name, std::vector<double>& value, Range each, std::string unit,
                      std::string help) {
  options_.push_back({std::move(name), std::move(unit), std::move(help), &value, each, {}});
}

}  // namespace svi
