#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "svi/base/error.hpp"
#include "svi/base/stopwatch.hpp"
#include "svi/base/units.hpp"
#include "svi/cli/data_commands.hpp"
#include "svi/data/fetch.hpp"

namespace svi::cli {

namespace {

struct FetchArguments {
  std::string name;
  std::string directory = "data";
};

void run(const FetchArguments& arguments) {
  if (arguments.directory.empty()) throw Error(ExitCode::usage, "--directory is empty, expected a folder");
  const Stopwatch stopwatch;
  data::fetch(arguments.name, arguments.directory, [](const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  });
  fmt::print("done in {}\n", duration_text(stopwatch.seconds()));
}

std::string sets_text() {
  std::string text = "Data sets:\n";
  for (const auto& set : data::fetchable_sets()) {
    text += fmt::format("  {:<20} {}: {}\n", set.name, set.summary, fmt::join(set.files, ", "));
  }
  return text + "\nExample:\n  svi-data fetch fashion-mnist --directory data";
}

}  // namespace

void add_data_fetch(CLI::App& app) {
  auto arguments = std::make_shared<FetchArguments>();
  CLI::App* command =
      app.add_subcommand("fetch", "Gets public data through the system's package manager, without root");
  command->footer(sets_text());
  command->add_option("name", arguments->name, "which data set")->required();
  command->add_option("--directory", arguments->directory, "where the files go")->capture_default_str();
  command->callback([arguments] { run(*arguments); });
}

}  // namespace svi::cli
