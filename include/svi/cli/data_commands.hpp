#pragma once

namespace CLI {
class App;
}

namespace svi::cli {

/// `svi-data import FORMAT INPUT… --output FILE.h5`, a subcommand a format.
void add_data_import(CLI::App& app);
/// `svi-data info FILE`.
void add_data_info(CLI::App& app);
/// `svi-data split FILE --fraction F --split-seed S --output-dir DIR`.
void add_data_split(CLI::App& app);
/// `svi-data fetch NAME`.
void add_data_fetch(CLI::App& app);

/// `svi-data`: returns the exit code for main.
int data_main(int count, char** arguments);

}  // namespace svi::cli
