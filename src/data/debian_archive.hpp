#pragma once

#include <string>
#include <vector>

namespace svi::data {

/// Debian's or Ubuntu's archive as the system's apt sources name it, seen without root: lists, cache and
/// state lie in a folder of our own. **Local.**
class DebianArchive {
 public:
  /// Updates the lists. A source that cannot be reached is only told in the log, as others may suffice.
  /// @param folder absolute, exists and is empty
  /// @throws Error (missing_input) when there is no apt-get
  DebianArchive(std::string folder, std::string log_path);

  /// Downloads a package and unpacks it without installing it; returns the folder that stands for "/".
  /// @throws Error (missing_input) when it cannot be had
  std::string unpack(const std::string& package) const;

  /// The lists of the distribution itself, without its pockets for updates, security and backports, which
  /// change from day to day, and without other people's sources.
  std::vector<std::string> package_lists() const;
  std::vector<std::string> translations() const;

 private:
  std::vector<std::string> apt_get(const std::vector<std::string>& arguments) const;
  std::vector<std::string> release_prefixes() const;
  std::vector<std::string> lists_with(const std::string& component_part) const;

  std::string folder_;
  std::string log_path_;
};

}  // namespace svi::data
