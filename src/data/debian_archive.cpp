#include "debian_archive.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "svi/base/error.hpp"
#include "svi/data/child_process.hpp"
#include "svi/data/descriptions.hpp"

namespace svi::data {

namespace files = std::filesystem;

namespace {

// What the system's configuration would run after an update, or fetch beside package lists.
constexpr const char* apt_configuration = R"(#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::DEP-11-icons-hidpi;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large;
#clear Acquire::IndexTargets::deb::CNF;
#clear Acquire::IndexTargets::deb::Contents-deb;
)";

std::vector<std::string> file_names(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : files::directory_iterator(folder)) {
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Whether a release file is of the distribution itself.
bool is_base_release(const std::string& path) {
  std::ifstream file(path);
  std::string origin;
  std::string suite;
  for (std::string line; std::getline(file, line) && (origin.empty() || suite.empty());) {
    if (line.starts_with("Origin: ")) origin = line.substr(8);
    if (line.starts_with("Suite: ")) suite = line.substr(7);
  }
  const auto is_pocket = [&](const char* pocket) { return suite.find(pocket) != std::string::npos; };
  constexpr std::array<const char*, 4> pockets{"-updates", "-security", "-backports", "-proposed"};
  return (origin == "Debian" || origin == "Ubuntu") &&
         std::none_of(pockets.begin(), pockets.end(), is_pocket);
}

}  // namespace

DebianArchive::DebianArchive(std::string folder, std::string log_path)
    : folder_(std::move(folder)), log_path_(std::move(log_path)) {
  for (const char* part : {"lists/partial", "cache/archives/partial", "packages"}) {
    files::create_directories(folder_ + "/" + part);
  }
  std::ofstream(folder_ + "/apt.conf") << apt_configuration;
  run_child({"apt-get", "--version"}, folder_, log_path_);
  try {
    run_child(apt_get({"update"}), folder_, log_path_);
  } catch (const Error& error) {
    std::ofstream(log_path_, std::ios::app) << "going on with the lists that came: " << error.what() << "\n";
  }
}

// -c is read after the system's configuration, and -o after that. Lists stay uncompressed, for us to read.
// As root, apt would download as a user who may not write here.
std::vector<std::string> DebianArchive::apt_get(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{"apt-get", "-q", "-c", folder_ + "/apt.conf"};
  for (const std::string& setting :
       {"Dir::State=" + folder_, "Dir::State::lists=" + folder_ + "/lists",
        "Dir::Cache=" + folder_ + "/cache", std::string("Debug::NoLocking=1"),
        std::string("APT::Sandbox::User=root"), std::string("Acquire::Languages=en"),
        std::string("Acquire::GzipIndexes=false"), std::string("Acquire::Retries=2")}) {
    command.insert(command.end(), {"-o", setting});
  }
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

std::string DebianArchive::unpack(const std::string& package) const {
  const std::string packages = folder_ + "/packages";
  run_child(apt_get({"download", package}), packages, log_path_);
  for (const std::string& name : file_names(packages)) {
    if (!name.starts_with(package + "_")) continue;
    const std::string root = folder_ + "/" + package;
    run_child({"dpkg", "-x", packages + "/" + name, root}, folder_, log_path_);
    return root;
  }
  throw Error(ExitCode::missing_input, "apt-get download {} ended well but left no package (see {})", package,
              log_path_);
}

std::vector<std::string> DebianArchive::release_prefixes() const {
  std::vector<std::string> prefixes;
  for (const std::string& name : file_names(folder_ + "/lists")) {
    for (const std::string ending : {"_InRelease", "_Release"}) {
      if (name.ends_with(ending) && is_base_release(folder_ + "/lists/" + name)) {
        prefixes.push_back(name.substr(0, name.size() - ending.size() + 1));
      }
    }
  }
  return prefixes;
}

// Lists "PREFIX + COMPONENT + part…"; Ubuntu keeps in universe what Debian has in main.
std::vector<std::string> DebianArchive::lists_with(const std::string& component_part) const {
  std::vector<std::string> paths;
  for (const std::string& prefix : release_prefixes()) {
    for (const std::string& name : file_names(folder_ + "/lists")) {
      for (const char* component : {"main", "universe"}) {
        if (name.starts_with(prefix + component + component_part))
          paths.push_back(folder_ + "/lists/" + name);
      }
    }
  }
  return paths;
}

std::vector<std::string> DebianArchive::package_lists() const { return lists_with("_binary-"); }

std::vector<std::string> DebianArchive::translations() const { return lists_with("_i18n_Translation-en"); }

}  // namespace svi::data
