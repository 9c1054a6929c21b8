#include "svi/cli/data_commands.hpp"

int main(int count, char** arguments) { return svi::cli::data_main(count, arguments); }
