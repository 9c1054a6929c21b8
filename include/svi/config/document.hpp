#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "svi/base/options.hpp"

namespace svi::config {

/// A configuration file as text values by dotted key: `model.type`, `data.validation.fraction`. **Local.**
///
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
  std::optional<std::string> find(std::string_view key) const;

  /// Fills the section's options; keys that are absent keep their defaults. Every key of the set counts as
  /// known from then on.
  /// @throws Error (bad_config) that names source, line, key, what was found and what is allowed
  void fill(std::string_view section, const OptionSet& options);

  /// @throws Error (bad_config) listing every key that no `fill` knew, each with the nearest known one
  void refuse_unknown() const;

 private:
  struct Leaf {
    std::vector<std::string> texts;  // one for a scalar
    bool is_list = false;
    bool is_quoted = false;
    int line = 0;  // from 1; 0: from the command line
  };

  std::string place(const std::string& key, const Leaf& leaf) const;

  std::string source_;
  std::map<std::string, Leaf> leaves_;
  std::set<std::string> known_;
};

/// A section's name with its options, for writing and for documentation.
struct Section {
  std::string name;
  OptionSet options;
};

/// The resolved configuration as YAML that `Document::parse` reads back to the same values.
std::string to_yaml(const std::vector<Section>& sections);

/// Dotted key → value text, of every option; what resume and the ranks compare.
std::map<std::string, std::string> values(const std::vector<Section>& sections);

/// One Markdown table a section: key, type, unit, range, default, help. `configs/README.md` is made of these.
std::string to_markdown(const Section& section, std::string_view heading);

/// The candidate nearest to `word` in Damerau–Levenshtein distance, if it is near enough to be meant.
std::optional<std::string> nearest(std::string_view word, const std::set<std::string>& candidates);

}  // namespace svi::config
