#include "svi/comm/launch.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/command.hpp"

namespace svi::comm::test {

namespace {

using svi::test::mpirun_variables;
using svi::test::Outcome;
using svi::test::run;

Outcome run_alone(const std::string& variables, const std::string& behaviour = "report") {
  return run(variables, std::string(SVI_RANK_PROGRAM) + " " + behaviour);
}

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
  EXPECT_EQ(outcome.exit_code, 64) << outcome.all();
  EXPECT_TRUE(outcome.says(announcement)) << outcome.all();
  EXPECT_TRUE(outcome.says("but MPI found 1")) << outcome.all();
  EXPECT_TRUE(outcome.says("srun --mpi=pmix")) << outcome.all();
}

}  // namespace

TEST(Launch, APlainStartIsASingleProcess) {
  const Outcome outcome = run_alone("");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.output, "single process 0 of 1\n");
}

TEST(Launch, MpirunConnectsTheRanks) {
  const Outcome outcome = run_ranks(3, "report");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
  for (const char* line : {"MPI 0 of 3\n", "MPI 1 of 3\n", "MPI 2 of 3\n"}) {
    EXPECT_TRUE(outcome.says(line)) << outcome.all();
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
  EXPECT_EQ(fewer.exit_code, 0) << fewer.all();
  EXPECT_TRUE(fewer.says("MPI 1 of 2\n")) << fewer.all();
}

TEST(Launch, AVariableThatIsNoNumberAnnouncesNothing) {
  EXPECT_EQ(run_alone("SLURM_NTASKS=many").output, "single process 0 of 1\n");
  EXPECT_EQ(run_alone("SLURM_NTASKS=4x").output, "single process 0 of 1\n");
}

TEST(Abort, EndsTheWholeJobWithTheCode) {
  const Outcome outcome = run_ranks(3, "abort");
  EXPECT_EQ(outcome.exit_code, 75) << outcome.all();
}

TEST(Timeout, EndsTheJobResumable) {
  const Outcome outcome = run_ranks(2, "wait-in-vain");
  EXPECT_EQ(outcome.exit_code, 71) << outcome.all();
  EXPECT_TRUE(outcome.says("epoch end: rank 0 of 2 waited 0.3 seconds in vain")) << outcome.all();
}

TEST(Failure, OfMpiNamesTheOperation) {
  const Outcome outcome = run_ranks(2, "mismatch");
  EXPECT_EQ(outcome.exit_code, 71) << outcome.all();
  EXPECT_TRUE(outcome.says("gradient: MPI_Testall failed: ")) << outcome.all();
  EXPECT_TRUE(outcome.says("truncated")) << outcome.all();
}

TEST(Close, ForgottenIsAWarningUnlessUnwinding) {
  const Outcome forgotten = run_ranks(2, "forget-close");
  EXPECT_EQ(forgotten.exit_code, 0) << forgotten.all();
  EXPECT_TRUE(forgotten.says("rank 1 leaves its MPI communicator unclosed")) << forgotten.all();
  const Outcome thrown = run_ranks(2, "throw");
  EXPECT_EQ(thrown.exit_code, 65) << thrown.all();
  EXPECT_FALSE(thrown.says("unclosed")) << thrown.all();
}

TEST(MpiMain, PassesWhenAllRanksPass) {
  const Outcome outcome = run_probe(3, "--expect-ranks=3 --gtest_filter=*Passes");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
  // Reported once, by rank 0.
  const std::size_t first = outcome.output.find("[  PASSED  ] 1 test");
  EXPECT_NE(first, std::string::npos) << outcome.all();
  EXPECT_EQ(outcome.output.find("[  PASSED  ]", first + 1), std::string::npos) << outcome.all();
}

TEST(MpiMain, AFailureOnAnyRankFailsTheJobAndShows) {
  const Outcome expectation = run_probe(3, "--expect-ranks=3 --gtest_filter=*FailsOnTheLastRank");
  EXPECT_NE(expectation.exit_code, 0);
  EXPECT_TRUE(expectation.says("rank 2: ")) << expectation.all();
  EXPECT_TRUE(expectation.says("seen on the last rank")) << expectation.all();
  const Outcome thrown = run_probe(3, "--expect-ranks=3 --gtest_filter=*ThrowsWhileTheOthersWait");
  EXPECT_NE(thrown.exit_code, 0);
  EXPECT_TRUE(thrown.says("thrown on the last rank")) << thrown.all();
  EXPECT_NE(run_probe(1, "--expect-ranks=1 --gtest_filter=*FailsOnTheLastRank").exit_code, 0);
}

TEST(MpiMain, RefusesTheWrongNumberOfRanksAndNoTests) {
  const Outcome ranks = run_probe(2, "--expect-ranks=3 --gtest_filter=*Passes");
  EXPECT_NE(ranks.exit_code, 0);
  EXPECT_TRUE(ranks.says("--expect-ranks=3 but runs on 2")) << ranks.all();
  EXPECT_NE(run_probe(2, "--gtest_filter=*Passes").exit_code, 0);
  const Outcome none = run_probe(2, "--expect-ranks=2 --gtest_filter=*DoesNotExist");
  EXPECT_NE(none.exit_code, 0);
  EXPECT_TRUE(none.says("no test was found")) << none.all();
}

}  // namespace svi::comm::test
