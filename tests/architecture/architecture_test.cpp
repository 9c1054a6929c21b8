#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// The rules of the module layout, checked on the files themselves.
namespace svi {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

// Which modules a module builds on; what those build on is allowed as well.
const std::map<std::string, Names> arrows{
    {"base", {}},
    {"config", {"base"}},
    {"io", {"base"}},
    {"core", {"base"}},
    {"math", {"base"}},
    {"comm", {"base"}},
    {"distributions", {"math", "core"}},
    {"optim", {"core"}},
    {"data", {"io", "core"}},
    {"checkpoint", {"io", "core"}},
    {"models", {"distributions", "core"}},
    {"trainer", {"models", "optim", "data", "checkpoint", "comm", "config"}},
    {"cli", {"trainer"}},
};

// Third-party headers by the beginning of their name, with the modules that may see them.
struct Owners {
  std::string beginning;
  Names modules;
};
const Names all_modules{"base",  "config", "io",         "core",   "math",    "comm", "distributions",
                        "optim", "data",   "checkpoint", "models", "trainer", "cli"};
const Names torch_modules{"core", "distributions", "optim", "models", "data", "checkpoint", "trainer", "cli"};
const std::vector<Owners> third_party{
    {"fmt/", all_modules},
    {"ATen/", torch_modules},
    {"c10/", torch_modules},
    {"torch/", torch_modules},
    {"mpi.h", {"comm"}},
    {"hdf5.h", {"io"}},
    {"zlib.h", {"io"}},
    {"stb/", {"io"}},
    {"yaml-cpp/", {"config"}},
    {"Random123/", {"base"}},
    {"openssl/", {"base"}},
    {"CLI/", {"cli"}},
    {"nlohmann/", {"data", "trainer", "cli"}},
};
const Names operating_system{"dlfcn.h", "fcntl.h", "sched.h", "signal.h", "spawn.h", "termios.h", "unistd.h"};

Names closure(const std::map<std::string, Names>& direct, const std::string& module) {
  Names reached = direct.at(module);
  for (const std::string& next : direct.at(module)) reached.merge(closure(direct, next));
  return reached;
}

struct Inclusion {
  std::string file;  // from the source folder
  std::string header;
  bool is_quoted = false;
};

// "include/svi/data/file.hpp" and "src/data/file.cpp" → "data"
std::string module_of(const std::string& file) {
  const auto parts = fs::path(file);
  auto part = parts.begin();
  std::advance(part, *part == "include" ? 2 : 1);
  return part->string();
}

std::string complaint_of_arrow(const Inclusion& inclusion) {
  const std::string from = module_of(inclusion.file);
  const std::string to = module_of("include/" + inclusion.header);
  if (!arrows.contains(from)) return from + " is no module of the table";
  if (from == to || closure(arrows, from).contains(to)) return "";
  return from + " may not build on " + to;
}

std::string complaint_of_system_header(const Inclusion& inclusion) {
  const std::string& header = inclusion.header;
  const bool is_standard = header.find_first_of("./") == std::string::npos;
  const bool is_platform = header.starts_with("sys/") || header.ends_with("intrin.h");
  if (is_standard || is_platform || operating_system.contains(header)) return "";
  const auto found = std::find_if(third_party.begin(), third_party.end(),
                                  [&](const Owners& owners) { return header.starts_with(owners.beginning); });
  if (found == third_party.end()) return "has no owner in the table";
  return found->modules.contains(module_of(inclusion.file)) ? "" : "belongs to another module";
}

// What is wrong with an #include line; empty: nothing.
std::string complaint(const Inclusion& inclusion) {
  if (!inclusion.is_quoted) return complaint_of_system_header(inclusion);
  if (inclusion.header.starts_with("svi/")) return complaint_of_arrow(inclusion);
  if (inclusion.file.starts_with("include/")) return "a public header may only include \"svi/…\" and <…>";
  return inclusion.header.find('/') == std::string::npos ? ""
                                                         : "private headers are those of the same folder";
}

std::string contents_of(const fs::path& path) {
  std::stringstream contents;
  contents << std::ifstream(path).rdbuf();
  return contents.str();
}

// Files of C++ below these folders, from the source folder.
std::vector<std::string> files_below(const std::vector<std::string>& folders) {
  std::vector<std::string> files;
  const fs::path root = SVI_SOURCE_DIR;
  for (const std::string& folder : folders) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const fs::path path = entry.path();
      const bool is_cpp = path.extension() == ".hpp" || path.extension() == ".cpp";
      if (is_cpp) files.push_back(fs::relative(path, root).string());
    }
  }
  return files;
}

std::vector<Inclusion> inclusions_of(const std::string& file, const std::string& contents) {
  static const std::regex line(R"(^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"])", std::regex::multiline);
  std::vector<Inclusion> found;
  for (std::sregex_iterator match(contents.begin(), contents.end(), line), end; match != end; ++match) {
    found.push_back({file, (*match)[2], (*match)[1] == "\""});
  }
  return found;
}

// The modules of CMakeLists.txt, each with the modules it is linked with.
std::map<std::string, Names> linked_modules(const std::string& cmake) {
  static const std::regex call(R"(svi_module\((\w+)([^)]*)\))");
  static const std::regex library(R"(\bsvi_(\w+))");
  std::map<std::string, Names> modules;
  for (std::sregex_iterator match(cmake.begin(), cmake.end(), call), end; match != end; ++match) {
    Names& linked = modules[(*match)[1]];
    const std::string libraries = (*match)[2];
    for (std::sregex_iterator name(libraries.begin(), libraries.end(), library); name != end; ++name) {
      if (all_modules.contains((*name)[1])) linked.insert((*name)[1]);
    }
  }
  return modules;
}

TEST(Architecture, TheRulesFindWhatBreaksThem) {
  EXPECT_EQ(complaint({"src/models/lda.cpp", "svi/distributions/dirichlet.hpp", true}), "");
  EXPECT_EQ(complaint({"src/models/lda.cpp", "svi/base/error.hpp", true}), "");
  EXPECT_NE(complaint({"src/models/lda.cpp", "svi/comm/communicator.hpp", true}), "");
  EXPECT_NE(complaint({"include/svi/core/sums.hpp", "svi/trainer/trainer.hpp", true}), "");
  EXPECT_NE(complaint({"include/svi/core/sums.hpp", "sums_detail.hpp", true}), "");
  EXPECT_NE(complaint({"src/core/sums.cpp", "../data/row.hpp", true}), "");
  EXPECT_NE(complaint({"src/utils/text.cpp", "svi/base/error.hpp", true}), "");
  EXPECT_EQ(complaint({"src/comm/mpi.cpp", "mpi.h", false}), "");
  EXPECT_NE(complaint({"src/trainer/trainer.cpp", "mpi.h", false}), "");
  EXPECT_NE(complaint({"src/base/random.cpp", "ATen/ATen.h", false}), "");
  EXPECT_NE(complaint({"src/base/random.cpp", "boost/any.hpp", false}), "");
  EXPECT_EQ(complaint({"src/base/random.cpp", "vector", false}), "");
  const auto found =
      inclusions_of("src/io/a.cpp", "#include <a.h>\n// #include <b.h>\n  # include \"c.hpp\"\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].header, "c.hpp");
  EXPECT_TRUE(found[1].is_quoted);
}

TEST(Architecture, IncludesFollowTheArrows) {
  int count = 0;
  for (const std::string& file : files_below({"include", "src"})) {
    for (const Inclusion& inclusion : inclusions_of(file, contents_of(fs::path(SVI_SOURCE_DIR) / file))) {
      ++count;
      EXPECT_EQ(complaint(inclusion), "") << file << " includes " << inclusion.header;
    }
  }
  EXPECT_GT(count, 300);  // the files were found and read
}

TEST(Architecture, LinkLinesSayTheSame) {
  const auto linked = linked_modules(contents_of(fs::path(SVI_SOURCE_DIR) / "CMakeLists.txt"));
  ASSERT_EQ(linked.size(), arrows.size());
  for (const auto& [module, direct] : arrows) {
    ASSERT_TRUE(linked.contains(module)) << module;
    EXPECT_EQ(closure(linked, module), closure(arrows, module)) << module;
  }
}

TEST(Architecture, EveryFolderIsAModule) {
  for (const char* folder : {"include/svi", "src"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(SVI_SOURCE_DIR) / folder)) {
      EXPECT_TRUE(entry.is_directory() && arrows.contains(entry.path().filename().string())) << entry.path();
    }
  }
}

TEST(Architecture, FilesStaySmall) {
  for (const std::string& file : files_below({"include", "src", "tests"})) {
    const std::string contents = contents_of(fs::path(SVI_SOURCE_DIR) / file);
    const auto lines = std::count(contents.begin(), contents.end(), '\n');
    EXPECT_LE(lines, file.starts_with("tests/") ? 400 : file.ends_with(".hpp") ? 200 : 350) << file;
    EXPECT_GT(lines, 0) << file;
  }
}

TEST(Architecture, NamesAreSnakeCase) {
  static const std::regex snake_case("[a-z][a-z0-9_]*\\.[hc]pp");
  for (const std::string& file : files_below({"include", "src", "tests"})) {
    EXPECT_TRUE(std::regex_match(fs::path(file).filename().string(), snake_case)) << file;
  }
}

}  // namespace
}  // namespace svi
