#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace svi::cli {

/// Parses a command line; options' callbacks act.
/// @return what --help or --version print; empty when neither was asked for @throws Error (usage)
std::string parse(CLI::App& app, int count, char** arguments);

/// Runs a program that needs no ranks and returns the exit code for main.
///
/// `build` declares options and subcommands; their callbacks do the work. Adds `--version`, turns what CLI11
/// finds wrong into code 64, an Error into its own code and anything else into 70, each with one line
/// `NAME: error: MESSAGE` on stderr. Output that cannot be written (a full disk) is an error too. **Local.**
/// @param description one sentence for --help
int run_program(const std::string& name, const std::string& description, int count, char** arguments,
                const std::function<void(CLI::App&)>& build);

}  // namespace svi::cli
