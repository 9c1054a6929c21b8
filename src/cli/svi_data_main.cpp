#include "svi/cli/data_commands.hpp"
#include "svi/cli/standard_streams.hpp"

int main(int count, char** arguments) {
  svi::cli::open_standard_streams();
  return svi::cli::data_main(count, arguments);
}
