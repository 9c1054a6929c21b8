#include "svi/cli/program.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <sstream>

#include "svi/base/error.hpp"

namespace svi::cli {

namespace {

int tell(const std::string& name, const std::string& message, ExitCode code) {
  fmt::print(stderr, "{}: error: {}\n", name, message);
  return static_cast<int>(code);
}

// "svi-data import uci": the deepest subcommand that was named.
std::string innermost(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app.get_name() : app.get_name() + " " + innermost(*chosen.back());
}

// CLI11 tells of what is missing before what it did not know, which is often the cause.
std::string problem_of(const CLI::App& app, const CLI::ParseError& error) {
  const auto unknown = app.remaining(true);
  const bool is_about_missing = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (!is_about_missing || unknown.empty()) return error.what();
  return fmt::format("\"{}\" is not known here. {}", unknown.front(), error.what());
}

// Parses and, by the callbacks, acts. Help and version are asked for by exceptions too.
void parse(CLI::App& app, int count, char** arguments) {
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    std::ostringstream text;
    std::ostringstream problem;
    if (app.exit(error, text, problem) != 0) {
      throw Error(ExitCode::usage, "{}; see {} --help", problem_of(app, error), innermost(app));
    }
    fmt::print("{}", text.str());
  }
}

}  // namespace

int run_program(const std::string& name, const std::string& description, int count, char** arguments,
                const std::function<void(CLI::App&)>& build) {
  try {
    CLI::App app(description, name);
    app.set_version_flag("--version", fmt::format("{} {}", name, SVI_VERSION));
    build(app);
    parse(app, count, arguments);
    if (std::fflush(stdout) != 0) throw Error(ExitCode::cannot_write, "cannot write to the standard output");
    return static_cast<int>(ExitCode::done);
  } catch (const Error& error) {
    return tell(name, error.what(), error.code());
  } catch (const std::bad_alloc&) {
    return tell(name, "out of memory", ExitCode::internal);
  } catch (const std::exception& error) {
    return tell(name, error.what(), ExitCode::internal);
  }
}

}  // namespace svi::cli
