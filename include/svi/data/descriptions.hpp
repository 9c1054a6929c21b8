#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace svi::data {

/// One stanza of a Debian control file: field → value, continuation lines joined by newlines.
using Stanza = std::map<std::string, std::string>;

/// Calls `take` with each stanza of a control file (Debian Policy 5.1), only the fields named kept.
/// @throws Error (missing_input); (bad_data) naming file and line: neither a field nor a continuation
void for_each_stanza(const std::string& path, const std::vector<std::string>& fields,
                     const std::function<void(const Stanza&)>& take);

struct Document {
  std::string id;
  std::string text;
};

/// One document a source package, in alphabetical order: the distinct long descriptions of its binary
/// packages, without their first line. Sources without one are left out.
/// @param package_lists apt's Packages files
/// @param translations apt's Translation-en files
std::vector<Document> source_descriptions(const std::vector<std::string>& package_lists,
                                          const std::vector<std::string>& translations);

}  // namespace svi::data
