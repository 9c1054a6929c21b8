#include <gtest/gtest.h>

#include <filesystem>

#include "io/folder.hpp"
#include "support/command.hpp"

namespace svi::test {
namespace {

namespace fs = std::filesystem;

// The scripts in a tree of their own, whose set-up only tells that it was started.
class Launch : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_ / "launch");
    for (const char* name : {"launch/quickstart.sh", "launch/run-tests.sh", "launch/environment.sh"})
      fs::copy_file(fs::path(SVI_SOURCE_DIR) / name, folder_ / name);
    put_bytes(folder_ / "launch/setup.sh", "#!/usr/bin/env bash\necho set-up begins\nexit 3\n");
    fs::permissions(folder_ / "launch/setup.sh", fs::perms::owner_all);
  }
  Outcome script(const std::string& command) const { return run("", folder_ / ("launch/" + command)); }

  Folder folder_;
};

TEST_F(Launch, HelpStartsNothing) {
  for (const char* command :
       {"quickstart.sh --help", "quickstart.sh -h", "run-tests.sh --help", "run-tests.sh -R a --help"}) {
    const Outcome outcome = script(command);
    EXPECT_EQ(outcome.exit_code, 0) << command << outcome.all();
    EXPECT_TRUE(outcome.output.starts_with("usage: launch/")) << command << outcome.all();
    EXPECT_FALSE(outcome.says("set-up begins")) << command;
  }
}

TEST_F(Launch, QuickstartRefusesWhatItDoesNotKnow) {
  const Outcome outcome = script("quickstart.sh --fast");
  EXPECT_EQ(outcome.exit_code, 64) << outcome.all();
  EXPECT_NE(outcome.errors.find("'--fast'"), std::string::npos) << outcome.all();
  EXPECT_FALSE(outcome.says("set-up begins"));
}

TEST_F(Launch, BeginsWithTheSetUpAndStopsWhenItFails) {
  for (const char* command : {"quickstart.sh", "run-tests.sh -R sampler"}) {
    const Outcome outcome = script(command);
    EXPECT_EQ(outcome.exit_code, 3) << command << outcome.all();
    EXPECT_TRUE(outcome.says("set-up begins")) << command;
  }
}

}  // namespace
}  // namespace svi::test
