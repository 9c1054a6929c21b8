#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "svi/base/error.hpp"
#include "svi/base/units.hpp"
#include "svi/cli/arguments.hpp"
#include "svi/cli/data_commands.hpp"
#include "svi/data/completion_files.hpp"
#include "svi/data/data_file.hpp"

namespace svi::cli {

namespace {

struct SplitArguments {
  std::string path;
  std::string directory;
  double fraction = 0.1;
  std::uint64_t split_seed = 1;
  std::string completion = completion_names.front();
};

void run(const SplitArguments& arguments) {
  if (!(arguments.fraction > 0 && arguments.fraction < 1)) {
    throw Error(ExitCode::usage, "--fraction is {}, expected a number above 0 and below 1",
                arguments.fraction);
  }
  if (arguments.directory.empty()) throw Error(ExitCode::usage, "--output-dir is empty, expected a folder");
  for (const char* name : {"train.h5", "validation.h5", "validation-observed.h5", "validation-predicted.h5"})
    require_other_file((std::filesystem::path(arguments.directory) / name).string(), {arguments.path});
  data::open_in_child(arguments.path);
  for (const auto& file :
       data::write_split(arguments.path, arguments.fraction, arguments.split_seed, arguments.directory,
                         completion_named(arguments.completion))) {
    fmt::print("wrote {}: {} rows\n", file.path, count_text(file.rows));
  }
}

}  // namespace

void add_data_split(CLI::App& app) {
  auto arguments = std::make_shared<SplitArguments>();
  CLI::App* command =
      app.add_subcommand("split", "Writes the rows that training holds out as files, for other tools");
  command->add_option("file", arguments->path, "an HDF5 data file")->required();
  command->add_option("--fraction", arguments->fraction, "data.validation.fraction of the training")
      ->capture_default_str();
  command->add_option("--split-seed", arguments->split_seed, "data.split_seed of the training")
      ->capture_default_str();
  command->add_option("--completion", arguments->completion, "evaluation.completion of the training")
      ->check(CLI::IsMember(completion_names))
      ->capture_default_str();
  command->add_option("--output-dir", arguments->directory, "where train.h5 and validation*.h5 go")
      ->required();
  command->footer(
      "Of word counts also the two halves of document completion: validation-observed.h5, "
      "validation-predicted.h5.\n"
      "Document ids are the row numbers of the original file.\n\n"
      "Example:\n  svi-data split data/debian.h5 --fraction 0.1 --split-seed 1 --output-dir "
      "data/debian-split");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace svi::cli
