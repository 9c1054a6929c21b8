#include "svi/io/directory_lock.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <memory>

#include "io/folder.hpp"

namespace {

// flock counts open files, not processes, so that two objects stand for two jobs.
TEST(DirectoryLock, KeepsAnotherOutUntilItEnds) {
  const svi::test::Folder folder;
  auto first = std::make_unique<svi::io::DirectoryLock>(folder.path());
  const svi::Error error = svi::test::error_of([&] { svi::io::DirectoryLock second(folder.path()); });
  EXPECT_EQ(error.code(), svi::ExitCode::cannot_write);
  EXPECT_NE(std::string(error.what()).find("in use by another run"), std::string::npos);
  first.reset();
  EXPECT_NO_THROW(svi::io::DirectoryLock third(folder.path()));
}

TEST(DirectoryLock, IsGoneWithAKilledProcess) {
  const svi::test::Folder folder;
  const pid_t child = fork();
  if (child == 0) {
    const svi::io::DirectoryLock lock(folder.path());
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_NO_THROW(svi::io::DirectoryLock lock(folder.path()));
}

TEST(DirectoryLock, NamesAFolderThatIsNotThere) {
  const svi::Error error = svi::test::error_of([] { svi::io::DirectoryLock lock("/proc/nowhere"); });
  EXPECT_EQ(error.code(), svi::ExitCode::cannot_write);
  EXPECT_NE(std::string(error.what()).find("/proc/nowhere/.lock"), std::string::npos);
}

}  // namespace
