#include "svi/cli/sbatch.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace svi::cli {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void write_program(const fs::path& path, const std::string& text) {
  std::ofstream(path) << "#!/usr/bin/env bash\n" << text;
  fs::permissions(path, fs::perms::owner_all);
}

// The job script under bash, with an srun and a scontrol that write down what they were asked for.
class Job : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "svi-sbatch-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    write_program(folder_ / "scontrol", "echo \"$@\" > " + (folder_ / "scontrol.log").string() + "\n");
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Runs `srun` as the job's ranks; the job gets USR2 when the file `ready` appears.
  int run(const SbatchOptions& options, const std::string& srun) {
    write_program(folder_ / "srun",
                  "printf '%s\\n' \"$@\" > " + (folder_ / "srun.log").string() + "\n" + srun);
    std::ofstream(folder_ / "job") << sbatch_script(options);
    const std::string command =
        "cd " + folder_.string() + " && export SLURM_JOB_ID=42 PATH=$PWD:$PATH\n" +
        "bash job > job.log 2>&1 & job=$!\n" + "while kill -0 $job 2>/dev/null; do\n" +
        "  if [ -e ready ]; then rm ready; kill -USR2 $job; fi; sleep 0.05\n" + "done\nwait $job";
    return WEXITSTATUS(std::system(command.c_str()));
  }

  SbatchOptions options_ = {.job_name = "my run",
                            .directory = "/data/some where",
                            .tasks = 12,
                            .threads = 3,
                            .program = "/opt/it's/svi-train",
                            .arguments = {"a b.yaml", "--set", "run.name=$HOME"}};
  fs::path folder_;
};

constexpr const char* stops_when_told =
    "trap 'touch saved; exit 75' USR2\ntouch ready\nfor i in $(seq 400); do sleep 0.05; done\nexit 1\n";

TEST(SbatchScript, CarriesTheValuesOfTheRun) {
  const std::string script = sbatch_script({.job_name = "lda",
                                            .directory = "/home/me/work",
                                            .tasks = 12,
                                            .threads = 3,
                                            .program = "/opt/bin/svi-train",
                                            .arguments = {"configs/lda.yaml"}});
  for (const char* line : {"\n#SBATCH --job-name=lda\n", "\n#SBATCH --chdir=/home/me/work\n",
                           "\n#SBATCH --ntasks=12\n", "\n#SBATCH --cpus-per-task=3\n",
                           "\nprogram=/opt/bin/svi-train\n", "\narguments=(configs/lda.yaml \"$@\")\n"}) {
    EXPECT_NE(script.find(line), std::string::npos) << line << "\nis not in\n" << script;
  }
  EXPECT_EQ(script.find("launch/svi-train.sbatch"), std::string::npos) << script;  // it is another file now
  EXPECT_EQ(script.find("configs/lda-debian.yaml"), std::string::npos) << script;
  EXPECT_NE(script.find("sbatch FILE, this file"), std::string::npos) << script;
}

TEST(SbatchScript, IsTheFileInTheTreeElsewhere) {
  const std::string file = read(fs::path(SVI_SOURCE_DIR) / "launch/svi-train.sbatch");
  const std::string script =
      sbatch_script({.directory = ".", .tasks = 4, .threads = 1, .program = "P", .arguments = {}});
  // The head says how to use the one and the other.
  std::istringstream expected(file.substr(file.find("\n# Lines to look at")));
  std::istringstream found(script.substr(script.find("\n# Lines to look at")));
  std::string expected_line;
  std::string found_line;
  while (std::getline(expected, expected_line)) {
    ASSERT_TRUE(std::getline(found, found_line));
    if (expected_line.starts_with("program=")) {
      EXPECT_EQ(found_line, "program=P");
    } else {
      EXPECT_EQ(found_line, expected_line);
    }
  }
}

TEST_F(Job, StartsTheProgramWithItsArgumentsWordByWord) {
  EXPECT_EQ(run(options_, "exit 0\n"), 0) << read(folder_ / "job.log");
  EXPECT_EQ(read(folder_ / "srun.log"),
            "--mpi=pmix\n--kill-on-bad-exit=1\n/opt/it's/svi-train\na b.yaml\n--set\nrun.name=$HOME\n");
  EXPECT_FALSE(fs::exists(folder_ / "scontrol.log"));
}

TEST_F(Job, GoesBackIntoTheQueueWhenTimeIsUp) {
  EXPECT_EQ(run(options_, stops_when_told), 0) << read(folder_ / "job.log");
  EXPECT_TRUE(fs::exists(folder_ / "saved"));
  EXPECT_EQ(read(folder_ / "scontrol.log"), "requeue 42\n");
}

TEST_F(Job, StaysOutOfTheQueueWhenSomebodyElseStoppedIt) {
  EXPECT_EQ(run(options_, "exit 75\n"), 75);
  EXPECT_FALSE(fs::exists(folder_ / "scontrol.log"));
}

TEST_F(Job, PassesOnTheExitCodeOfAFailure) {
  EXPECT_EQ(run(options_, "exit 71\n"), 71);
  EXPECT_EQ(run(options_, "trap 'exit 73' USR2\ntouch ready\nfor i in $(seq 400); do sleep 0.05; done\n"),
            73);
  EXPECT_FALSE(fs::exists(folder_ / "scontrol.log"));
}

TEST(ShellWord, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(shell_word("configs/lda.yaml"), "configs/lda.yaml");
  EXPECT_EQ(shell_word("train.epochs=3"), "train.epochs=3");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace svi::cli
