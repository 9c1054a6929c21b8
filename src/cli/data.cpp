#include <CLI/CLI.hpp>

#include "svi/cli/data_commands.hpp"
#include "svi/cli/program.hpp"

namespace svi::cli {

int data_main(int count, char** arguments) {
  return run_program(
      "svi-data", "Gets, imports, describes and splits data for svi-train.", count, arguments,
      [](CLI::App& app) {
        app.require_subcommand(1);
        add_data_import(app);
        add_data_info(app);
        add_data_split(app);
        add_data_fetch(app);
        app.footer(
            "Examples:\n"
            "  svi-data fetch debian-descriptions\n"
            "  svi-data info data/debian.h5\n"
            "  svi-data import text articles/*.txt --output articles.h5\n\n"
            "Exit codes: 0 done, 64 usage, 65 bad data, 66 missing input, 70 internal, 73 cannot write.");
      });
}

}  // namespace svi::cli
