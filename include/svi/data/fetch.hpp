#pragma once

#include <functional>
#include <string>
#include <vector>

namespace svi::data {

/// A public data set that can be had through the system's package manager.
struct FetchableSet {
  std::string name;                ///< "fashion-mnist"
  std::string summary;             ///< one line for --help
  std::vector<std::string> files;  ///< that it becomes, relative to the directory
};
const std::vector<FetchableSet>& fetchable_sets();

/// Gets a data set by apt, without root and without installing anything, and imports it.
///
/// apt works on lists, cache and state of its own in `DIRECTORY/.fetch-NAME`, which is removed at the end;
/// what the commands print goes to `DIRECTORY/fetch-NAME.log`. When all files of the set are there and valid,
/// nothing is done. Sources that never change are checked by SHA-256.
/// @param directory made where it is missing; nothing outside it is written
/// @param say told in plain words what happens
/// @return the paths of the set's files
/// @throws Error (usage) for an unknown name; (missing_input) without apt, or when the package cannot be had:
/// the message names the command and its last lines; (bad_data) when a checksum differs; (cannot_write)
/// **Local.**
std::vector<std::string> fetch(const std::string& name, const std::string& directory,
                               const std::function<void(const std::string&)>& say);

}  // namespace svi::data
