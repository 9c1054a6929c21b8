#pragma once

#include <map>
#include <string>
#include <string_view>

#include "svi/config/document.hpp"

namespace svi::config {

/// Where a text came from, for messages: a file's name, or the whole "--set key=value".
struct Origin {
  std::string source;
  bool has_lines = true;

  std::string at(int line) const;  ///< line from 1
};

/// Adds the values of a YAML text to `leaves`, by dotted key. **Local.**
/// @param prefix the key that the whole text is the value of; empty: the text must be a mapping
/// @throws Error (bad_config) when the text is no YAML, or uses more of YAML than settings need
void read_leaves(std::string_view text, const Origin& origin, const std::string& prefix,
                 std::map<std::string, Leaf>& leaves);

/// At most 60 bytes of a text, so that a message stays readable whatever a file holds.
std::string excerpt(std::string_view text);

}  // namespace svi::config
