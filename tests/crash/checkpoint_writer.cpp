// checkpoint_writer FOLDER STEP: saves the sample of that step, and it as the best, as a run does.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "checkpoint/sample.hpp"

int main(int count, char** arguments) {
  if (count != 3) return static_cast<int>(svi::ExitCode::usage);
  try {
    const auto checkpoint = svi::checkpoint::test::sample_checkpoint(std::atoll(arguments[2]));
    svi::checkpoint::CheckpointStore store(arguments[1], 1);
    store.save(checkpoint);
    store.save_best(checkpoint);
    return 0;
  } catch (const svi::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.code());
  }
}
