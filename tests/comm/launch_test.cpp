#include "svi/comm/launch.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace svi::comm::test {

namespace {

struct Outcome {
  int exit_code;
  std::string output;  // standard output and standard error

  bool says(std::string_view text) const { return output.find(text) != std::string::npos; }
};

// Only these variables are set, so that nothing is inherited from how the test itself was started.
Outcome run(const std::string& variables, const std::string& command) {
  const std::string line = "env -i PATH=\"$PATH\" HOME=/tmp " + variables + " " + command + " 2>&1";
  std::FILE* pipe = ::popen(line.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string output;
  std::array<char, 4096> block;
  while (const std::size_t count = std::fread(block.data(), 1, block.size(), pipe)) {
    output.append(block.data(), count);
  }
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

Outcome run_alone(const std::string& variables, const std::string& behaviour = "report") {
  return run(variables, std::string(SVI_RANK_PROGRAM) + " " + behaviour);
}

const std::string mpirun_variables =
    "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 "
    "OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none ";

Outcome mpirun(int ranks, const std::string& command, const std::string& variables = "") {
  return run(mpirun_variables + variables,
             std::string(SVI_MPIEXEC) + " -np " + std::to_string(ranks) + " " + command);
}

Outcome run_ranks(int ranks, const std::string& behaviour, const std::string& variables = "") {
  return mpirun(ranks, std::string(SVI_RANK_PROGRAM) + " " + behaviour, variables);
}

Outcome run_probe(int ranks, const std::string& arguments) {
  return mpirun(ranks, std::string(SVI_MPI_MAIN_PROBE) + " " + arguments);
}

void expect_refused(const Outcome& outcome, const std::string& announcement) {
  EXPECT_EQ(outcome.exit_code, 64) << outcome.output;
  EXPECT_TRUE(outcome.says(announcement)) << outcome.output;
  EXPECT_TRUE(outcome.says("but MPI found 1")) << outcome.output;
  EXPECT_TRUE(outcome.says("srun --mpi=pmix")) << outcome.output;
}

}  // namespace

TEST(Launch, APlainStartIsASingleProcess) {
  const Outcome outcome = run_alone("");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.output, "single process 0 of 1\n");
}

TEST(Launch, MpirunConnectsTheRanks) {
  const Outcome outcome = run_ranks(3, "report");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  for (const char* line : {"MPI 0 of 3\n", "MPI 1 of 3\n", "MPI 2 of 3\n"}) {
    EXPECT_TRUE(outcome.says(line)) << outcome.output;
  }
  EXPECT_EQ(run_ranks(1, "report").output, "MPI 0 of 1\n");
}

TEST(Launch, SingletonsByMistakeAreRefused) {
  expect_refused(run_alone("OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=1"),
                 "OMPI_COMM_WORLD_SIZE=2 announces 2");
  // srun with the plugin of another MPI, and with none.
  expect_refused(run_alone("PMI_RANK=1 PMI_SIZE=4 SLURM_JOB_ID=9 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=4"),
                 "PMI_SIZE=4 announces 4");
  expect_refused(
      run_alone("SLURM_JOB_ID=9 SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=4 SLURM_NTASKS=4"),
      "SLURM_STEP_NUM_TASKS=4 announces 4");
  // The batch script starts the program itself instead of by srun.
  expect_refused(run_alone("SLURM_JOB_ID=9 SLURM_PROCID=0 SLURM_NTASKS=4"), "SLURM_NTASKS=4 announces 4");
}

TEST(Launch, OneProcessInAJobIsNoMistake) {
  EXPECT_EQ(run_alone("SLURM_JOB_ID=9 SLURM_PROCID=0 SLURM_NTASKS=1").output, "single process 0 of 1\n");
  EXPECT_EQ(run_alone("SLURM_JOB_ID=9 SLURM_PROCID=0").output, "single process 0 of 1\n");
  // srun -n 1 in a job of four tasks, and mpirun with fewer ranks than tasks.
  EXPECT_EQ(
      run_alone("SLURM_JOB_ID=9 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1 SLURM_NTASKS=4").output,
      "single process 0 of 1\n");
  const Outcome fewer = run_ranks(2, "report", "SLURM_NTASKS=4");
  EXPECT_EQ(fewer.exit_code, 0) << fewer.output;
  EXPECT_TRUE(fewer.says("MPI 1 of 2\n")) << fewer.output;
}

TEST(Launch, AVariableThatIsNoNumberAnnouncesNothing) {
  EXPECT_EQ(run_alone("SLURM_NTASKS=many").output, "single process 0 of 1\n");
  EXPECT_EQ(run_alone("SLURM_NTASKS=4x").output, "single process 0 of 1\n");
}

TEST(Abort, EndsTheWholeJobWithTheCode) {
  const Outcome outcome = run_ranks(3, "abort");
  EXPECT_EQ(outcome.exit_code, 75) << outcome.output;
}

TEST(Timeout, EndsTheJobResumable) {
  const Outcome outcome = run_ranks(2, "wait-in-vain");
  EXPECT_EQ(outcome.exit_code, 71) << outcome.output;
  EXPECT_TRUE(outcome.says("epoch end: rank 0 of 2 waited 0.3 seconds in vain")) << outcome.output;
}

TEST(Failure, OfMpiNamesTheOperation) {
  const Outcome outcome = run_ranks(2, "mismatch");
  EXPECT_EQ(outcome.exit_code, 71) << outcome.output;
  EXPECT_TRUE(outcome.says("gradient: MPI_Testall failed: ")) << outcome.output;
  EXPECT_TRUE(outcome.says("truncated")) << outcome.output;
}

TEST(Close, ForgottenIsAWarningUnlessUnwinding) {
  const Outcome forgotten = run_ranks(2, "forget-close");
  EXPECT_EQ(forgotten.exit_code, 0) << forgotten.output;
  EXPECT_TRUE(forgotten.says("rank 1 leaves its MPI communicator unclosed")) << forgotten.output;
  const Outcome thrown = run_ranks(2, "throw");
  EXPECT_EQ(thrown.exit_code, 65) << thrown.output;
  EXPECT_FALSE(thrown.says("unclosed")) << thrown.output;
}

TEST(MpiMain, PassesWhenAllRanksPass) {
  const Outcome outcome = run_probe(3, "--expect-ranks=3 --gtest_filter=*Passes");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  // Reported once, by rank 0.
  const std::size_t first = outcome.output.find("[  PASSED  ] 1 test");
  EXPECT_NE(first, std::string::npos) << outcome.output;
  EXPECT_EQ(outcome.output.find("[  PASSED  ]", first + 1), std::string::npos) << outcome.output;
}

TEST(MpiMain, AFailureOnAnyRankFailsTheJobAndShows) {
  const Outcome expectation = run_probe(3, "--expect-ranks=3 --gtest_filter=*FailsOnTheLastRank");
  EXPECT_NE(expectation.exit_code, 0);
  EXPECT_TRUE(expectation.says("rank 2: ")) << expectation.output;
  EXPECT_TRUE(expectation.says("seen on the last rank")) << expectation.output;
  const Outcome thrown = run_probe(3, "--expect-ranks=3 --gtest_filter=*ThrowsWhileTheOthersWait");
  EXPECT_NE(thrown.exit_code, 0);
  EXPECT_TRUE(thrown.says("thrown on the last rank")) << thrown.output;
  EXPECT_NE(run_probe(1, "--expect-ranks=1 --gtest_filter=*FailsOnTheLastRank").exit_code, 0);
}

TEST(MpiMain, RefusesTheWrongNumberOfRanksAndNoTests) {
  const Outcome ranks = run_probe(2, "--expect-ranks=3 --gtest_filter=*Passes");
  EXPECT_NE(ranks.exit_code, 0);
  EXPECT_TRUE(ranks.says("--expect-ranks=3 but runs on 2")) << ranks.output;
  EXPECT_NE(run_probe(2, "--gtest_filter=*Passes").exit_code, 0);
  const Outcome none = run_probe(2, "--expect-ranks=2 --gtest_filter=*DoesNotExist");
  EXPECT_NE(none.exit_code, 0);
  EXPECT_TRUE(none.says("no test was found")) << none.output;
}

}  // namespace svi::comm::test
