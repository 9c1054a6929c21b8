// A real writer, struck at each system call of a save on its folder in turn (fault_preload.c): whatever
// happens, the folder holds a valid checkpoint, the old one or the new one, to the bit.
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <sstream>

#include "checkpoint/sample.hpp"
#include "support/preload.hpp"

namespace svi::checkpoint::test {
namespace {

constexpr std::int64_t old_step = 1;
constexpr std::int64_t new_step = 2;

struct Ending {
  int exit_code = -1;  // −1: killed
  int signal = 0;
  std::string message;
};

class Save : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (const char* reason = svi::test::no_preload_reason()) GTEST_SKIP() << reason;
    ASSERT_TRUE(std::filesystem::exists(SVI_FAULT_PRELOAD));
  }

  // A folder that holds the old checkpoint, as step and as best.
  void start_over() {
    const std::string original = folder_ / "original";
    if (!std::filesystem::exists(original)) {
      CheckpointStore store(original, 1);
      store.save(sample_checkpoint(old_step));
      store.save_best(sample_checkpoint(old_step));
    }
    std::filesystem::remove_all(checkpoints_);
    std::filesystem::copy(original, checkpoints_);
  }

  Ending write(std::int64_t step, const std::string& environment) const {
    const std::string errors = folder_ / "errors";
    const int status = std::system(fmt::format("exec env {} {} {} {} 2>{}", environment,
                                               SVI_CHECKPOINT_WRITER, checkpoints_, step, errors)
                                       .c_str());
    Ending ending{.message = read_bytes(errors)};
    if (WIFEXITED(status)) ending.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
    return ending;
  }

  Ending write_with_fault(const std::string& action, std::size_t call) const {
    return write(
        new_step,
        fmt::format(
            "LD_PRELOAD={} SVI_FAULT_FOLDER={} SVI_FAULT_CALL={} SVI_FAULT_ACTION={} SVI_FAULT_REPORT={}",
            SVI_FAULT_PRELOAD, checkpoints_, call, action, folder_ / "report"));
  }

  // The system calls of a save, in order: "rename /…/.step-….tmp-…".
  std::vector<std::string> calls_of_a_save() {
    start_over();
    std::filesystem::remove(folder_ / "report");
    EXPECT_EQ(write_with_fault("kill", 0).exit_code, 0);
    std::istringstream report(read_bytes(folder_ / "report"));
    std::vector<std::string> calls;
    for (std::string line; std::getline(report, line);) calls.push_back(line.substr(line.find(' ') + 1));
    return calls;
  }

  std::int64_t newest_step() const {
    const auto newest =
        CheckpointStore(checkpoints_, 1).newest([](const std::string& path, const std::string& reason) {
          ADD_FAILURE() << "a save left a checkpoint that does not verify: " << path << ": " << reason;
        });
    if (!newest) return -1;
    EXPECT_TRUE(std::filesystem::exists(fmt::format("{}/step-{:012}.h5", checkpoints_, newest->state.step)));
    EXPECT_EQ(parameters_hash(newest->state), parameters_hash(sample_checkpoint(newest->state.step).state));
    return newest->state.step;
  }

  std::int64_t best_step() const { return read_checkpoint(checkpoints_ + "/best.h5").state.step; }

  std::size_t temporary_files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(checkpoints_)) {
      if (entry.path().filename().string().find(".tmp-") != std::string::npos) ++count;
    }
    return count;
  }

  Folder folder_;
  std::string checkpoints_ = folder_ / "checkpoints";
};

std::size_t count_of(const std::vector<std::string>& calls, const std::string& name,
                     const std::string& part) {
  std::size_t count = 0;
  for (const std::string& call : calls) {
    if (call.starts_with(name + " ") && call.find(part) != std::string::npos) ++count;
  }
  return count;
}

// Else the tests below strike at nothing.
TEST_F(Save, AllItsCallsAreSeen) {
  const std::vector<std::string> calls = calls_of_a_save();
  EXPECT_EQ(newest_step(), new_step);
  EXPECT_EQ(count_of(calls, "rename", ".tmp-"), 2U);
  EXPECT_EQ(count_of(calls, "fsync", ".tmp-"), 2U);
  EXPECT_EQ(count_of(calls, "fsync", "checkpoints"), 4U);
  EXPECT_GE(count_of(calls, "pwrite", ".tmp-") + count_of(calls, "pwrite64", ".tmp-"), 20U);
  EXPECT_EQ(count_of(calls, "unlink", "step-000000000001.h5") +
                count_of(calls, "remove", "step-000000000001.h5") +
                count_of(calls, "unlinkat", "step-000000000001.h5"),
            1U);
  // The order that makes a save safe: contents, sync, rename, sync of the folder, removal of older ones.
  std::string order;
  for (const std::string& call : calls) {
    const std::string name = call.substr(0, call.find(' '));
    if (name == "fsync" || name == "rename" || name == "remove" || name == "unlink") order += name + " ";
  }
  EXPECT_TRUE(order.starts_with("fsync rename fsync remove ") ||
              order.starts_with("fsync rename fsync unlink "))
      << order;
}

class Killed : public Save {};

TEST_P(Killed, AtEachCallLeavesAValidCheckpoint) {
  const std::vector<std::string> calls = calls_of_a_save();
  int old_ones = 0;
  int new_ones = 0;
  for (std::size_t call = 1; call <= calls.size(); ++call) {
    SCOPED_TRACE(fmt::format("{} at call {} of {}: {}", GetParam(), call, calls.size(), calls[call - 1]));
    start_over();
    const Ending ending = write_with_fault(GetParam(), call);
    ASSERT_EQ(ending.signal, SIGKILL) << ending.message;
    const std::int64_t step = newest_step();
    ASSERT_TRUE(step == old_step || step == new_step) << step;
    ASSERT_TRUE(best_step() == old_step || best_step() == new_step);
    (step == old_step ? old_ones : new_ones) += 1;
    ASSERT_LE(temporary_files(), 1U);
    if (call % 8 != 0) continue;
    ASSERT_EQ(write(new_step + 1, "").exit_code, 0) << "the next save";
    ASSERT_EQ(newest_step(), new_step + 1);
    ASSERT_EQ(temporary_files(), 0U);
  }
  EXPECT_GT(old_ones, 20);
  EXPECT_GT(new_ones, 20);
  fmt::print("{} calls; {} times the old one was found, {} times the new one\n", calls.size(), old_ones,
             new_ones);
}

INSTANTIATE_TEST_SUITE_P(Actions, Killed, testing::Values("kill", "half"),
                         [](const auto& tested) { return std::string(tested.param); });

class DiskError : public Save {};

TEST_P(DiskError, FromEachCallOnEndsInOrder) {
  const std::vector<std::string> calls = calls_of_a_save();
  int failed = 0;
  for (std::size_t call = 1; call <= calls.size(); ++call) {
    SCOPED_TRACE(
        fmt::format("{} from call {} of {} on: {}", GetParam(), call, calls.size(), calls[call - 1]));
    start_over();
    const Ending ending = write_with_fault(GetParam(), call);
    const std::int64_t step = newest_step();
    EXPECT_EQ(temporary_files(), 0U) << ending.message;
    ASSERT_EQ(ending.signal, 0);
    if (ending.exit_code == 0) {  // only where nothing was left to fail but closing what was only read
      EXPECT_TRUE(calls[call - 1].starts_with("close "));
      EXPECT_EQ(call, calls.size());
      EXPECT_EQ(best_step(), new_step);
      continue;
    }
    ++failed;
    EXPECT_EQ(ending.exit_code, static_cast<int>(ExitCode::cannot_write)) << ending.message;
    EXPECT_NE(ending.message.find(checkpoints_ + (step == old_step ? "/step-000000000002.h5" : "/")),
              std::string::npos)
        << ending.message;
    EXPECT_NE(ending.message.find(GetParam() == std::string("EIO") ? "Input/output error" : "No space left"),
              std::string::npos)
        << ending.message;
    ASSERT_TRUE(step == old_step || step == new_step) << step;
    ASSERT_TRUE(best_step() == old_step || best_step() == new_step);
  }
  EXPECT_GT(failed, 40);
}

INSTANTIATE_TEST_SUITE_P(Errors, DiskError, testing::Values("ENOSPC", "EIO"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace svi::checkpoint::test
