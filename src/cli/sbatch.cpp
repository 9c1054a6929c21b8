#include "svi/cli/sbatch.hpp"

#include <fmt/format.h>

#include <string_view>

#include "svi/base/error.hpp"
#include "svi/cli/sbatch_template.hpp"  // generated from launch/svi-train.sbatch

namespace svi::cli {

namespace {

constexpr const char* how_to_use = "   sbatch FILE, this file; arguments after FILE are added to those below";

std::size_t find_line(const std::string& script, std::string_view start) {
  const std::size_t line_end = script.find(fmt::format("\n{}", start));
  if (line_end != std::string::npos) return line_end + 1;
  throw Error(ExitCode::internal, "launch/svi-train.sbatch has no line that starts with '{}'", start);
}

// Replaces the rest of the one line that starts with `start`.
void fill_in(std::string& script, std::string_view start, const std::string& value) {
  const std::size_t first = find_line(script, start) + start.size();
  script.replace(first, script.find('\n', first) - first, value);
}

void take_out(std::string& script, std::string_view start) {
  const std::size_t first = find_line(script, start);
  script.erase(first, script.find('\n', first) + 1 - first);
}

}  // namespace

std::string shell_word(const std::string& text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char letter : text) {
    if (letter == '\'') {
      quoted += "'\\''";
    } else {
      quoted += letter;
    }
  }
  return quoted + "'";
}

std::string sbatch_script(const SbatchOptions& options) {
  std::string arguments;
  for (const std::string& argument : options.arguments) arguments += shell_word(argument) + " ";
  std::string script(sbatch_template);
  take_out(script, "# As it stands:");
  fill_in(script, "# For one run:", how_to_use);
  fill_in(script, "#SBATCH --job-name=", shell_word(options.job_name));
  fill_in(script, "#SBATCH --chdir=", shell_word(options.directory));
  fill_in(script, "#SBATCH --ntasks=", fmt::to_string(options.tasks));
  fill_in(script, "#SBATCH --cpus-per-task=", fmt::to_string(options.threads));
  fill_in(script, "program=", shell_word(options.program));
  fill_in(script, "arguments=", fmt::format("({}\"$@\")", arguments));
  return script;
}

}  // namespace svi::cli
