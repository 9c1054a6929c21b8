// Jobs of several ranks that cannot start: all ranks leave with one message and the documented exit code.
#include <fmt/format.h>

#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

class BadJob : public RunFolder {
 protected:
  // One rank for each command line after the program's name, in one job.
  Outcome train_each(const std::vector<std::string>& ranks) const {
    std::string command = SVI_MPIEXEC;
    for (const std::string& rank : ranks) {
      command += (&rank == &ranks.front() ? " -np 1 " : " : -np 1 ") + rank;
    }
    return run(mpirun_variables, command);
  }

  const std::string program_ = SVI_BINARY_DIR "/svi-train ";
};

TEST_F(BadJob, WhatEveryRankSees) {
  expect_refusal(train(2, folder_ / "nowhere.yaml"), ExitCode::missing_input, {folder_ / "nowhere.yaml"});
  expect_refusal(train(2, lda() + " --set optimizer.type=adam"), ExitCode::bad_config, {"use robbins_monro"});
  expect_refusal(train(2, lda() + " --set data.train=" + (folder_ / "nowhere.h5")), ExitCode::missing_input,
                 {folder_ / "nowhere.h5"});
  write_images(folder_ / "larger.h5", 20, 7, 2);
  expect_refusal(train(2, vae() + " --set data.test=" + (folder_ / "larger.h5")), ExitCode::bad_data,
                 {"[7, 7]", "[6, 6]"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(BadJob, MoreRanksThanShards) {
  expect_refusal(train(3, lda() + " --set data.shards=2"), ExitCode::bad_config,
                 {"3 ranks", "2 shards", "at most 2 ranks", "data.shards"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(BadJob, WhatOnlyRankZeroSees) {
  expect_refusal(train(2, lda() + " --run-dir " + lda() + "/run"), ExitCode::cannot_write,
                 {"rank 0", lda() + "/run"});
  std::filesystem::create_directories(folder_ / "run/checkpoints");
  put_bytes(checkpoint_path(4), "no checkpoint");
  expect_refusal(train(2, lda()), ExitCode::bad_data, {"rank 0", checkpoint_path(4)});
}

TEST_F(BadJob, WhatOnlyTheLastRankSees) {
  expect_refusal(train_each({program_ + lda(), program_ + (folder_ / "nowhere.yaml")}),
                 ExitCode::missing_input, {"rank 1", folder_ / "nowhere.yaml"});
  expect_refusal(train_each({program_ + lda(), program_ + lda() + " --set train.batch=0"}),
                 ExitCode::bad_config, {"rank 1", "train.batch"});
  expect_refusal(train_each({program_ + lda(), program_ + lda(), program_ + lda() + " --no-such-option"}),
                 ExitCode::usage, {"rank 2", "--no-such-option"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(BadJob, RanksWithOtherSettings) {
  const std::string other = program_ + lda() + " --set model.alpha=0.2";
  expect_refusal(train_each({program_ + lda(), other}), ExitCode::bad_config,
                 {"the configuration of rank 1 differs from that of rank 0"});
  expect_refusal(train_each({program_ + lda(), other, program_ + lda(), other}), ExitCode::bad_config,
                 {"the configuration of ranks 1, 3 differs"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

// Relative paths, as on nodes whose local disks hold different files.
TEST_F(BadJob, RanksWithOtherData) {
  std::string config = bytes_of(lda());
  const std::string path = folder_ / "documents.h5";
  put_bytes(folder_ / "lda.yaml", config.replace(config.find(path), path.size(), "documents.h5"));
  std::filesystem::create_directory(folder_ / "other");
  write_documents(folder_ / "other/documents.h5", 400, 80, 2);
  expect_refusal(train_each({"-wdir " + folder_.path().string() + " " + program_ + lda(),
                             "-wdir " + (folder_ / "other") + " " + program_ + lda()}),
                 ExitCode::bad_config, {"data.train", "of rank 1 differs from that of rank 0"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(BadJob, RanksOfAnotherProgram) {
  std::filesystem::copy(SVI_BINARY_DIR "/svi-train", folder_ / "svi-train");
  std::ofstream(folder_ / "svi-train", std::ios::app) << "of yesterday";
  expect_refusal(train_each({program_ + lda(), (folder_ / "svi-train ") + lda()}), ExitCode::bad_config,
                 {"the program of rank 1 differs"});
}

}  // namespace
}  // namespace svi::test
