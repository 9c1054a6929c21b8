#include "svi/cli/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <system_error>

#include "svi/base/error.hpp"

namespace svi::cli {

CLI::Option* within(CLI::Option* option, const Range& range) {
  const auto problem_of = [range](const std::string& text) -> std::string {
    double value = 0;
    if (!CLI::detail::lexical_cast(text, value) || range.contains(value))
      return {};  // CLI11 tells of no number
    return fmt::format("found {}, expected {}", text, range.text());
  };
  return option->check(problem_of)->type_name(fmt::format("NUMBER ({})", range.text()));
}

void require_other_file(const std::string& output, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    std::error_code is_absent;
    if (!std::filesystem::equivalent(output, input, is_absent)) continue;
    throw Error(ExitCode::usage, "the output {} is the input {}, which would be lost; choose another name",
                output, input);
  }
}

void require_output(const std::string& output, const std::vector<std::string>& inputs) {
  if (output.empty()) throw Error(ExitCode::usage, "--output is empty, expected the name of a file");
  std::error_code is_absent;
  const std::filesystem::path folder = std::filesystem::path(output).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder, is_absent)) {
    throw Error(ExitCode::cannot_write, "cannot write {}: there is no folder {}", output, folder.string());
  }
  if (std::filesystem::is_directory(output, is_absent)) {
    throw Error(ExitCode::cannot_write, "cannot write {}: it is a folder, expected the name of a file",
                output);
  }
  require_other_file(output, inputs);
}

}  // namespace svi::cli
