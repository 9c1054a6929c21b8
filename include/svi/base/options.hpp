#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace svi {

/// The values an option accepts, each end open or closed.
struct Range {
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();
  bool lowest_is_open = false;
  bool highest_is_open = false;

  static Range any() { return {}; }
  static Range at_least(double lowest) { return {.lowest = lowest}; }
  static Range above(double lowest) { return {.lowest = lowest, .lowest_is_open = true}; }
  static Range between(double lowest, double highest) { return {.lowest = lowest, .highest = highest}; }

  bool contains(double value) const;
  /// In words for messages and tables: "at least 1", "above 0", "0 to 1".
  std::string text() const;
};

/// A value that is a number, or a word that says how to get one, or several numbers.
struct NumberOrWord {
  double number = 0;
  std::string word;          ///< empty: the number counts
  std::vector<double> list;  ///< not empty: neither of them counts, but these
};

/// One configuration key: its description, and the variable that holds its value.
struct Option {
  using Target = std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<std::int64_t>*,
                              std::vector<double>*, NumberOrWord*>;

  std::string name;                  ///< relative to its section, dotted where nested: "kl.weight"
  std::string unit;                  ///< "rows", "seconds", "" where there is none
  std::string help;                  ///< one sentence
  Target target;                     ///< what it points to holds the default until the option is filled
  Range range;                       ///< of a number, or of each number of a list
  std::vector<std::string> choices;  ///< of a text; empty: any text. Of a number or word: the words
  bool takes_list = false;           ///< of a number or word

  /// "true or false", "integer", "real", "text", "choice", "list of integers", "list of reals",
  /// "real or choice" …
  std::string kind() const;
  /// The value as YAML: `0.001`, `[400, 200]`, `"bernoulli"`.
  std::string value_text() const;
};

/// The options of one section, declared by the part that uses them and filled by `config`.
///
/// An options struct with defaults declares itself in one place:
/// @code
///   struct AdamOptions {
///     double beta1 = 0.9;
///     void describe(OptionSet& options) {
///       options.real("beta1", beta1, Range::between(0, 1), "", "decay of the first moment");
///     }
///   };
/// @endcode
/// The struct must outlive the set, which points into it.
class OptionSet {
 public:
  void flag(std::string name, bool& value, std::string help);
  void integer(std::string name, std::int64_t& value, Range range, std::string unit, std::string help);
  void real(std::string name, double& value, Range range, std::string unit, std::string help);
  void real_or_choice(std::string name, NumberOrWord& value, Range range, std::vector<std::string> words,
                      std::string help);
  /// Or a list of such numbers.
  void reals_or_choice(std::string name, NumberOrWord& value, Range range, std::vector<std::string> words,
                       std::string help);
  void text(std::string name, std::string& value, std::string help);
  void choice(std::string name, std::string& value, std::vector<std::string> choices, std::string help);
  void integers(std::string name, std::vector<std::int64_t>& value, Range each, std::string unit,
                std::string help);
  void reals(std::string name, std::vector<double>& value, Range each, std::string unit, std::string help);

  const std::vector<Option>& all() const { return options_; }

 private:
  std::vector<Option> options_;
};

}  // namespace svi
