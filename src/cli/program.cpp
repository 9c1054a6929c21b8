#include "svi/cli/program.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <sstream>
#include <system_error>

#include "svi/base/error.hpp"
#include "svi/cli/standard_streams.hpp"

namespace svi::cli {

namespace {

int tell(const std::string& name, std::string_view message, ExitCode code) {
  tell_error(name, message);
  return static_cast<int>(code);
}

int tell_unwritten(const std::string& name) {
  return tell(name, "cannot write to the standard output", ExitCode::cannot_write);
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

}  // namespace

std::string parse(CLI::App& app, int count, char** arguments) {
  try {
    app.parse(count, arguments);
    return {};
  } catch (const CLI::ParseError& error) {  // help and version are asked for by exceptions too
    std::ostringstream text;
    std::ostringstream problem;
    if (app.exit(error, text, problem) == 0) return text.str();
    throw Error(ExitCode::usage, "{}; see {} --help", problem_of(app, error), innermost(app));
  }
}

int run_program(const std::string& name, const std::string& description, int count, char** arguments,
                const std::function<void(CLI::App&)>& build) {
  try {
    CLI::App app(description, name);
    app.set_version_flag("--version", fmt::format("{} {}", name, SVI_VERSION));
    build(app);
    fmt::print("{}", parse(app, count, arguments));
    return std::fflush(stdout) == 0 ? static_cast<int>(ExitCode::done) : tell_unwritten(name);
  } catch (const Error& error) {
    return tell(name, error.what(), error.code());
  } catch (const std::system_error& error) {  // what fmt::print throws
    if (std::ferror(stdout) != 0) return tell_unwritten(name);
    return tell(name, error.what(), ExitCode::internal);
  } catch (const std::bad_alloc&) {
    return tell(name, "out of memory", ExitCode::internal);
  } catch (const std::exception& error) {
    return tell(name, error.what(), ExitCode::internal);
  }
}

}  // namespace svi::cli
