// The checkpoints of a run: which remain, which one is taken.
#include <unistd.h>

#include <algorithm>

#include "checkpoint/sample.hpp"

namespace svi::checkpoint::test {
namespace {

using Names = std::vector<std::string>;

Names names_in(const std::string& folder) {
  Names names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

struct Found {
  std::optional<Checkpoint> checkpoint;
  Names rejected;
  Names reasons;
};

Found find_newest(const CheckpointStore& store) {
  Found found;
  found.checkpoint = store.newest([&](const std::string& path, const std::string& reason) {
    found.rejected.push_back(std::filesystem::path(path).filename());
    found.reasons.push_back(reason);
  });
  return found;
}

TEST(Store, MakesItsFolderAndIsEmptyAtFirst) {
  const Folder folder;
  const CheckpointStore store(folder / "run/checkpoints", 3);
  EXPECT_TRUE(std::filesystem::is_directory(folder / "run/checkpoints"));
  EXPECT_FALSE(find_newest(store).checkpoint);
}

TEST(Store, KeepsTheLastOnesAndTheBest) {
  const Folder folder;
  CheckpointStore store(folder.path(), 2);
  for (const std::int64_t step : {3, 90, 100, 1000}) {
    EXPECT_EQ(store.save(sample_checkpoint(step)), folder / fmt::format("step-{:012}.h5", step));
  }
  EXPECT_EQ(store.save_best(sample_checkpoint(90)), folder / "best.h5");
  EXPECT_EQ(names_in(folder.path()), (Names{"best.h5", "step-000000000100.h5", "step-000000001000.h5"}));
  const Found found = find_newest(store);
  EXPECT_EQ(found.checkpoint->state.step, 1000);
  EXPECT_TRUE(found.rejected.empty());
  EXPECT_EQ(read_checkpoint(folder / "best.h5").state.step, 90);
  store.save_best(sample_checkpoint(1000));
  EXPECT_EQ(read_checkpoint(folder / "best.h5").state.step, 1000);
}

TEST(Store, SavesTheSameStepAgain) {
  const Folder folder;
  CheckpointStore store(folder.path(), 1);
  store.save(sample_checkpoint(5));
  store.save(sample_checkpoint(5));
  EXPECT_EQ(names_in(folder.path()), Names{"step-000000000005.h5"});
}

TEST(Store, RemovesWhatKilledWritersLeftAndNothingElse) {
  const Folder folder;
  CheckpointStore store(folder.path(), 1);
  write_bytes(folder / ".step-000000000004.h5.tmp-123-0badcafe", "half");
  write_bytes(folder / ".best.h5.tmp-9-00000000", "half");
  const Names others{".hidden", "notes.txt", "step-12.h5", "step-00000000001x.h5"};
  for (const std::string& name : others) write_bytes(folder / name, "mine");
  store.save(sample_checkpoint(5));
  EXPECT_EQ(names_in(folder.path()),
            (Names{".hidden", "notes.txt", "step-000000000005.h5", "step-00000000001x.h5", "step-12.h5"}));
}

TEST(Store, TakesTheNewestThatVerifiesAndSaysWhyNotTheOthers) {
  const Folder folder;
  CheckpointStore store(folder.path(), 9);
  for (const std::int64_t step : {1, 2, 3, 4}) store.save(sample_checkpoint(step));
  std::filesystem::resize_file(folder / "step-000000000004.h5", 1000);
  write_bytes(folder / "step-000000000003.h5", "text");
  const Found found = find_newest(store);
  EXPECT_EQ(found.checkpoint->state.step, 2);
  EXPECT_EQ(parameters_hash(found.checkpoint->state), parameters_hash(sample_checkpoint(2).state));
  EXPECT_EQ(found.rejected, (Names{"step-000000000004.h5", "step-000000000003.h5"}));
  EXPECT_NE(found.reasons.at(0).find("truncated"), std::string::npos) << found.reasons.at(0);
  EXPECT_NE(found.reasons.at(1).find("not a checkpoint"), std::string::npos) << found.reasons.at(1);
}

// A run that resumed before a damaged checkpoint must not have its own pruned for it.
TEST(Store, DamagedLaterOnesDisplaceNothing) {
  const Folder folder;
  CheckpointStore store(folder.path(), 1);
  store.save(sample_checkpoint(5));
  write_bytes(folder / "step-000000000010.h5", "damaged");
  store.save(sample_checkpoint(6));
  EXPECT_EQ(find_newest(store).checkpoint->state.step, 6);
  store.save(sample_checkpoint(11));
  EXPECT_EQ(names_in(folder.path()), Names{"step-000000000011.h5"});
}

TEST(Store, TheBestIsTheLastResort) {
  const Folder folder;
  CheckpointStore store(folder.path(), 1);
  store.save(sample_checkpoint(5));
  store.save_best(sample_checkpoint(4));
  write_bytes(folder / "step-000000000005.h5", "damaged");
  EXPECT_EQ(find_newest(store).checkpoint->state.step, 4);
}

TEST(Store, NeverStartsOverWhenNoneVerifies) {
  const Folder folder;
  CheckpointStore store(folder.path(), 9);
  store.save(sample_checkpoint(1));
  store.save(sample_checkpoint(2));
  for (const char* name : {"step-000000000001.h5", "step-000000000002.h5"})
    std::filesystem::resize_file(folder / name, 100);
  const auto error = error_of([&] { find_newest(store); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::bad_data);
  for (const std::string& part :
       {std::string("none of the 2 checkpoints"), folder.path(), folder / "step-000000000001.h5"}) {
    EXPECT_NE(std::string(error->what()).find(part), std::string::npos) << error->what();
  }
}

TEST(Store, AFolderThatCannotBeMadeIsNamed) {
  const Folder folder;
  write_bytes(folder / "file", "");
  const auto error = error_of([&] { CheckpointStore(folder / "file/checkpoints", 1); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::cannot_write);
  EXPECT_NE(std::string(error->what()).find(folder / "file/checkpoints"), std::string::npos) << error->what();
}

TEST(Store, AFolderThatIsGoneIsNamed) {
  const Folder folder;
  CheckpointStore store(folder / "gone", 1);
  std::filesystem::remove_all(folder / "gone");
  const auto error = error_of([&] { store.save(sample_checkpoint()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ExitCode::cannot_write);
  EXPECT_NE(std::string(error->what()).find(folder / "gone/step-000000000007.h5"), std::string::npos)
      << error->what();
}

}  // namespace
}  // namespace svi::checkpoint::test
