#include "svi/checkpoint/checkpoint_store.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <system_error>
#include <utility>

#include "svi/base/error.hpp"

namespace svi::checkpoint {

namespace {

namespace fs = std::filesystem;

// Names of files in `folder` that match, sorted: numbered checkpoints come oldest first.
std::vector<std::string> names_like(const std::string& folder, const std::regex& pattern) {
  std::vector<std::string> names;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    std::string name = entry->path().filename().string();
    if (std::regex_match(name, pattern)) names.push_back(std::move(name));
  }
  if (problem && problem != std::errc::no_such_file_or_directory) {
    throw Error(ExitCode::missing_input, "cannot list {}: {}", folder, problem.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> numbered(const std::string& folder) {
  static const std::regex pattern(R"(step-\d{12}\.h5)");
  return names_like(folder, pattern);
}

// What io::AtomicFile leaves behind when its process is killed. One rank of one run writes here, one file at
// a time, so that none of them can be in use.
std::vector<std::string> unfinished(const std::string& folder) {
  static const std::regex pattern(R"(\.(step-\d{12}|best)\.h5\.tmp-.*)");
  return names_like(folder, pattern);
}

void remove(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name;
  std::error_code problem;
  fs::remove(path, problem);
  if (problem) {
    throw Error(ExitCode::cannot_write,
                "cannot remove the old checkpoint {}: {}; give write access to its folder", path,
                problem.message());
  }
}

std::string file_name(std::int64_t step) { return fmt::format("step-{:012}.h5", step); }

// A file under another step's name would come before, or be displaced by, what it is not.
Checkpoint read_named(const std::string& folder, const std::string& name) {
  Checkpoint checkpoint = read_checkpoint(folder + "/" + name);
  const std::string expected = file_name(checkpoint.state.step);
  if (name != "best.h5" && name != expected) {
    throw Error(ExitCode::bad_data, "{}/{}: it holds step {} and should be named {}", folder, name,
                checkpoint.state.step, expected);
  }
  return checkpoint;
}

std::string write_into(const std::string& folder, const std::string& name, const Checkpoint& checkpoint) {
  for (const std::string& leftover : unfinished(folder)) remove(folder, leftover);
  std::string path = folder + "/" + name;
  write_checkpoint(path, checkpoint);
  return path;
}

}  // namespace

CheckpointStore::CheckpointStore(std::string folder, std::int64_t keep_last)
    : folder_(std::move(folder)), keep_last_(std::max<std::int64_t>(keep_last, 1)) {
  std::error_code problem;
  fs::create_directories(folder_, problem);
  if (problem)
    throw Error(ExitCode::cannot_write, "cannot make the folder {}: {}", folder_, problem.message());
}

std::string CheckpointStore::save(const Checkpoint& checkpoint) {
  const std::string name = file_name(checkpoint.state.step);
  std::string path = write_into(folder_, name, checkpoint);
  // Of a later step there can only be damaged ones, that this run resumed before: they must not displace it.
  std::vector<std::string> names = numbered(folder_);
  names.erase(std::upper_bound(names.begin(), names.end(), name), names.end());
  for (std::int64_t i = 0; i < std::ssize(names) - keep_last_; ++i)
    remove(folder_, names[static_cast<std::size_t>(i)]);
  return path;
}

std::string CheckpointStore::save_best(const Checkpoint& checkpoint) {
  return write_into(folder_, "best.h5", checkpoint);
}

std::optional<Checkpoint> CheckpointStore::newest(
    const std::function<void(const std::string& path, const std::string& reason)>& rejected) const {
  std::vector<std::string> names = numbered(folder_);
  std::error_code problem;
  if (fs::exists(folder_ + "/best.h5", problem)) names.insert(names.begin(), "best.h5");  // the last resort
  std::vector<std::string> reasons;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    const std::string path = folder_ + "/" + *name;
    try {
      return read_named(folder_, *name);
    } catch (const Error& error) {
      if (rejected) rejected(path, error.what());
      reasons.emplace_back(error.what());
    }
  }
  if (reasons.empty()) return std::nullopt;
  throw Error(ExitCode::bad_data,
              "none of the {} checkpoints in {} can be read, and a run never starts over by itself; "
              "restore one of them, or choose another run directory: {}",
              reasons.size(), folder_, fmt::join(reasons, "; "));
}

}  // namespace svi::checkpoint
