#pragma once

#include <fmt/format.h>

#include "trainer/run_folder.hpp"

namespace svi::test {

/// Runs of four topics over 80 words, and svi-infer on them.
class TopicRun : public RunFolder {
 protected:
  void train_topics() { ASSERT_EQ(train(0, lda() + " --set train.steps=60").exit_code, 0); }

  Outcome done(const std::string& arguments) const {
    const Outcome outcome = infer(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << arguments << "\n" << outcome.all();
    return outcome;
  }
  nlohmann::json json_of(const std::string& arguments) const {
    return nlohmann::json::parse(done(arguments).output);
  }

  Outcome infer_on(int ranks, const std::string& arguments) const {
    return run(mpirun_variables,
               fmt::format("{} -np {} {}/svi-infer {}", SVI_MPIEXEC, ranks, SVI_BINARY_DIR, arguments));
  }

  /// An error told once, with its code and all parts of the message.
  static void expect_told(const Outcome& outcome, ExitCode code, const std::vector<std::string>& parts) {
    EXPECT_EQ(outcome.exit_code, static_cast<int>(code)) << outcome.all();
    const std::string prefix = "svi-infer: error: ";
    const std::size_t first = outcome.errors.find(prefix);
    ASSERT_NE(first, std::string::npos) << outcome.all();
    EXPECT_EQ(outcome.errors.find(prefix, first + 1), std::string::npos) << outcome.all();
    for (const std::string& part : parts)
      EXPECT_NE(outcome.errors.find(part, first), std::string::npos)
          << "no \"" << part << "\" in " << outcome.all();
  }

  const std::string run_ = folder_ / "run";
  const std::string documents_ = folder_ / "documents.h5";
};

}  // namespace svi::test
