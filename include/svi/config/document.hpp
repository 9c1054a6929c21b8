#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "svi/base/options.hpp"

namespace svi::config {

/// One value of a configuration, still as text.
struct Leaf {
  std::vector<std::string> texts;  ///< one for a scalar, any number for a list
  std::string place;               ///< for messages: "config.yaml:12" or "--set train.batch=0"
  bool is_list = false;
  bool is_quoted = false;  ///< of a list: any of its elements
};

/// A configuration file as text values by dotted key: `model.type`, `data.validation.fraction`. **Local.**
///
/// `kl: {weight: 1}` and `kl.weight: 1` mean the same, so a key may have a value and keys below it.
/// Anchors, aliases, tags, duplicate keys, nesting over 16, more than one document and files over 1 MiB are
/// refused on the parser's events, before any tree exists: an alias bomb never expands.
class Document {
 public:
  /// @throws Error (missing_input) when the file can't be read, (bad_config) when its contents are refused
  static Document load(const std::string& path);
  /// @param source names the text in messages
  static Document parse(std::string_view text, std::string source);

  /// `--set`: "a.b=value", the value as in YAML ("[400, 200]", "adam"). Replaces the key and all below it.
  /// @throws Error (usage) without '=' or key, (bad_config) when the value is refused
  void set(std::string_view assignment);

  /// The text of a key, for those that choose which options others have ("model.type").
  /// @throws Error (bad_config) when the key holds a list
  std::optional<std::string> find(std::string_view key) const;

  /// Fills the section's options; keys that are absent keep their defaults. Every key of the set counts as
  /// known from then on.
  /// @throws Error (bad_config) that names source, line, key, what was found and what is allowed
  void fill(std::string_view section, const OptionSet& options);

  /// @throws Error (bad_config) listing every key that no `fill` knew, each with the nearest known one
  void refuse_unknown() const;

 private:
  std::map<std::string, Leaf> leaves_;
  std::set<std::string> known_;
};

/// A section's name with its options, for writing and for documentation.
struct Section {
  std::string name;
  OptionSet options;
};

/// The resolved configuration as YAML with every key, also those at their defaults, that `Document::parse`
/// reads back to the same values.
std::string to_yaml(const std::vector<Section>& sections);

/// Dotted key → value text, of every option; what resume and the ranks compare.
std::map<std::string, std::string> values(const std::vector<Section>& sections);

/// One Markdown table a section: key, type, unit, range, default, help. `configs/README.md` is made of these.
std::string to_markdown(const Section& section, std::string_view heading);

/// Changes of one letter, insertions, deletions and swaps of neighbours that turn one word into the other.
///
/// Source: Damerau 1964 and Levenshtein 1966, in the form that edits no letter twice.
std::size_t edit_distance(std::string_view from, std::string_view to);

/// Whether a word at that distance can be a slip for the word that was meant: a quarter of its letters.
bool is_slip(std::string_view word, std::size_t distance);

/// The candidate at the smallest `edit_distance` from `word`, if that is a slip.
std::optional<std::string> nearest(std::string_view word, const std::set<std::string>& candidates);

}  // namespace svi::config
