#include "assign.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <system_error>

#include "leaf_reader.hpp"
#include "svi/base/error.hpp"

namespace svi::config {

namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

std::string_view without_plus(std::string_view text) {
  return text.size() > 1 && text[0] == '+' && text[1] != '-' ? text.substr(1) : text;
}

// Leading zeros are refused: YAML 1.1 reads 010 as eight, YAML 1.2 as ten.
bool has_leading_zero(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && is_digit(text[1]);
}

template <typename Number>
struct Parsed {
  Number value{};
  bool is_number = false;
  bool fits = true;
};

template <typename Number>
Parsed<Number> parse_number(std::string_view text) {
  text = without_plus(text);
  // from_chars also knows "inf" and "nan", with and without sign.
  const std::size_t sign = !text.empty() && text[0] == '-' ? 1 : 0;
  if (text.size() == sign || !(is_digit(text[sign]) || text[sign] == '.')) return {};
  Parsed<Number> parsed;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), parsed.value);
  parsed.fits = problem != std::errc::result_out_of_range;
  parsed.is_number = end == text.data() + text.size() && problem != std::errc::invalid_argument;
  return parsed;
}

std::string expected_kind(const Option& option) {
  struct Words {
    std::string operator()(bool*) const { return "true or false"; }
    std::string operator()(std::int64_t*) const { return "an integer"; }
    std::string operator()(double*) const { return "a real number"; }
    std::string operator()(std::string*) const { return "a text"; }
    std::string operator()(std::vector<std::int64_t>*) const {
      return "a list of integers such as [400, 200]";
    }
    std::string operator()(std::vector<double>*) const { return "a list of real numbers such as [1, 0.5]"; }
    std::string operator()(NumberOrWord*) const { return "a real number"; }
  };
  if (std::holds_alternative<NumberOrWord*>(option.target))
    return fmt::format("one of: {}; or a real number{}", fmt::join(option.choices, ", "),
                       option.takes_list ? " or a list of them" : "");
  if (!option.choices.empty()) return fmt::format("one of: {}", fmt::join(option.choices, ", "));
  return std::visit(Words{}, option.target);
}

std::string expected_text(const Option& option) {
  const std::string range = option.range.text();
  const bool is_bounded = range != "any";
  const bool is_list = std::holds_alternative<std::vector<std::int64_t>*>(option.target) ||
                       std::holds_alternative<std::vector<double>*>(option.target);
  return expected_kind(option) + (is_bounded ? (is_list ? ", each " : ", ") + range : "") +
         (option.unit.empty() ? "" : " (" + option.unit + ")");
}

struct Assignment {
  const Option& option;
  const std::string& key;
  const Leaf& leaf;

  void operator()(bool* target) const { *target = flag(); }
  void operator()(std::int64_t* target) const { *target = number<std::int64_t>(scalar()); }
  void operator()(double* target) const { *target = number<double>(scalar()); }
  void operator()(std::string* target) const { *target = text(); }
  void operator()(std::vector<std::int64_t>* target) const { *target = numbers<std::int64_t>(); }
  void operator()(std::vector<double>* target) const { *target = numbers<double>(); }
  void operator()(NumberOrWord* target) const;

  [[noreturn]] void refuse(std::string_view hint = "") const {
    throw Error(ExitCode::bad_config, "{}: {} is {}; expected {}{}", leaf.place, key, found_text(leaf),
                expected_text(option), hint);
  }

  const std::string& scalar() const;
  bool flag() const;
  const std::string& text() const;
  template <typename Number>
  Number number(const std::string& text) const;
  template <typename Number>
  std::vector<Number> numbers() const;
};

const std::string& Assignment::scalar() const {
  if (leaf.is_list) refuse();
  return leaf.texts.front();
}

bool Assignment::flag() const {
  const std::string& value = scalar();
  if (leaf.is_quoted) refuse(", without quotes");
  if (value != "true" && value != "false") refuse();
  return value == "true";
}

const std::string& Assignment::text() const {
  const std::string& value = scalar();
  const std::vector<std::string>& choices = option.choices;
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
  const auto meant = nearest(value, {choices.begin(), choices.end()});
  refuse(meant ? fmt::format("; did you mean {}?", *meant) : "");
}

template <typename Number>
Number Assignment::number(const std::string& text) const {
  const Parsed<Number> parsed = parse_number<Number>(text);
  if (leaf.is_quoted) refuse(", without quotes");
  if (!parsed.is_number) refuse();
  if (!parsed.fits) refuse("; the value does not fit 64 bits");
  if (std::is_integral_v<Number> && has_leading_zero(without_plus(text))) refuse(", without leading zeros");
  if (!option.range.contains(static_cast<double>(parsed.value))) refuse();
  return parsed.value;
}

template <typename Number>
std::vector<Number> Assignment::numbers() const {
  if (!leaf.is_list) refuse();
  std::vector<Number> values;
  for (const std::string& text : leaf.texts) values.push_back(number<Number>(text));
  return values;
}

void Assignment::operator()(NumberOrWord* target) const {
  if (leaf.is_list && option.takes_list) {
    if (leaf.texts.empty()) refuse();
    *target = {.number = target->number, .list = numbers<double>()};
    return;
  }
  const std::string& value = scalar();
  const std::vector<std::string>& words = option.choices;
  const bool is_word = std::find(words.begin(), words.end(), value) != words.end();
  *target = is_word ? NumberOrWord{.number = target->number, .word = value}
                    : NumberOrWord{.number = number<double>(value), .word = ""};
}

}  // namespace

std::string found_text(const Leaf& leaf) {
  if (leaf.is_list) return excerpt(fmt::format("[{}]", fmt::join(leaf.texts, ", ")));
  const std::string text = excerpt(leaf.texts.front());
  return leaf.is_quoted ? fmt::format("\"{}\" in quotes", text) : text;
}

void assign(const Option& option, const std::string& key, const Leaf& leaf) {
  std::visit(Assignment{option, key, leaf}, option.target);
}

}  // namespace svi::config
