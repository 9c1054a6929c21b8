#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "io/folder.hpp"
#include "support/command.hpp"
#include "svi/checkpoint/checkpoint_store.hpp"
#include "trainer/generated_data.hpp"

namespace svi::test {

/// A folder with small data and configurations, on which the real programs are started.
class RunFolder : public ::testing::Test {
 protected:
  /// A configuration on generated documents (written on first use): eight shards, batches of 40 of 400 rows.
  std::string lda();
  /// The same on pictures of 6 × 6.
  std::string vae();

  /// svi-train with these arguments: alone when `ranks` is 0, else under mpirun. Configurations name the run
  /// directory `run`.
  Outcome train(int ranks, const std::string& arguments, const std::string& variables = "") const;
  Outcome infer(const std::string& arguments) const;

  /// Exit code, an error message that holds all the parts, told once however many ranks there are.
  void expect_refusal(const Outcome& outcome, ExitCode code, const std::vector<std::string>& parts) const;

  std::string checkpoint_path(std::int64_t step, const std::string& run = "run") const;
  checkpoint::Checkpoint checkpoint(std::int64_t step, const std::string& run = "run") const {
    return checkpoint::read_checkpoint(checkpoint_path(step, run));
  }
  /// The lines of metrics.jsonl.
  std::vector<nlohmann::json> metrics(const std::string& run = "run") const;

  Folder folder_;
};

/// max |a − b| / max |b| of each tensor, by name.
std::vector<std::pair<std::string, double>> differences(const ParameterSet& a, const ParameterSet& b);

}  // namespace svi::test
