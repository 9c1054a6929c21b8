#include "svi/cli/infer.hpp"
#include "svi/cli/standard_streams.hpp"

int main(int count, char** arguments) {
  svi::cli::open_standard_streams();
  return svi::cli::infer_main(count, arguments);
}
