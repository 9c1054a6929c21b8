// Standard streams that are closed, full, or that nobody reads: the real programs.
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

class Streams : public RunFolder {
 protected:
  // A line of the shell in which $TRAIN and $INFER are the programs.
  Outcome shell(const std::string& line) const {
    put_bytes(folder_ / "line.sh", "set -o pipefail\nTRAIN=" SVI_BINARY_DIR "/svi-train INFER=" SVI_BINARY_DIR
                                   "/svi-infer\n" +
                                       line + "\n");
    return run("", "bash " + (folder_ / "line.sh"));
  }

  // The run went on to its end, and wrote all that a run writes.
  void expect_whole_run(const Outcome& outcome) const {
    EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
    EXPECT_EQ(checkpoint(6).state.step, 6);
    std::int64_t lines = 0;
    for (const auto& line : metrics()) lines += line["kind"] == "train" ? 1 : 0;
    EXPECT_EQ(lines, 6);
    const std::string log = bytes_of(folder_ / "run/train.log");
    EXPECT_NE(log.find("step 6/6"), std::string::npos) << log;
    EXPECT_NE(log.find("done at step 6"), std::string::npos) << log;
  }
};

TEST_F(Streams, ErrorsHaveTheirCodeWhenNobodyHearsThem) {
  put_bytes(folder_ / "empty.yaml", "");
  const std::string empty = folder_ / "empty.yaml";
  for (const char* target : {"2>&-", "2>/dev/full"}) {
    EXPECT_EQ(shell("$TRAIN " + empty + " " + target).exit_code, 78) << target;
    EXPECT_EQ(shell(std::string("$TRAIN --nonsense ") + target).exit_code, 64) << target;
    EXPECT_EQ(shell(std::string("$INFER info /nonexistent ") + target).exit_code, 66) << target;
    EXPECT_EQ(shell("$INFER info " + empty + " " + target).exit_code, 65) << target;
  }
}

TEST_F(Streams, NoFileTakesThePlaceOfAClosedStream) {
  expect_whole_run(shell("$TRAIN " + lda() + " <&- >&- 2>&-"));
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "run")) {
    if (!entry.is_regular_file() || entry.path().extension() == ".log") continue;
    EXPECT_EQ(bytes_of(entry.path()).find("done at step"), std::string::npos) << entry.path();
  }
}

TEST_F(Streams, ARunGoesOnWhenItsReaderLeaves) { expect_whole_run(shell("$TRAIN " + vae() + " | true")); }

TEST_F(Streams, ARunGoesOnWhenItsOutputIsFull) { expect_whole_run(shell("$TRAIN " + vae() + " >/dev/full")); }

TEST_F(Streams, RedirectedLinesNameTheirUnits) {
  const Outcome outcome = train(0, vae());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
  EXPECT_TRUE(outcome.says(" rows/s")) << outcome.all();
  EXPECT_FALSE(outcome.says("steps/s")) << outcome.all();
  EXPECT_EQ(outcome.output.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace svi::test
