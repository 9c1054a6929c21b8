#include <csignal>

#include "svi/cli/standard_streams.hpp"
#include "svi/cli/train.hpp"

int main(int count, char** arguments) {
  svi::cli::open_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a run goes on when nobody reads its output any more
  return svi::cli::train_main(count, arguments);
}
