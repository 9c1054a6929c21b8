// What a run directory may hold when svi-train is started on it.
#include <fmt/format.h>

#include <functional>
#include <map>

#include "checkpoint/forge.hpp"
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

class Resume : public RunFolder {
 protected:
  // Checkpoints of steps 2, 4 and 6 and best.h5.
  void SetUp() override {
    const Outcome outcome = train(0, lda());
    ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
  }

  Outcome go_on(const std::string& arguments = "") const {
    return train(0, (folder_ / "lda.yaml") + " --set train.steps=8 " + arguments);
  }

  // Names and contents of all files of the run.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "run")) {
      if (entry.is_regular_file()) files[entry.path()] = bytes_of(entry.path());
    }
    return files;
  }

  // Refused, and everything in the run directory is as it was.
  void expect_refused(const std::string& arguments, const std::vector<std::string>& parts,
                      ExitCode code = ExitCode::bad_config) {
    SCOPED_TRACE(arguments);
    const auto before = files();
    expect_refusal(go_on(arguments), code, parts);
    EXPECT_TRUE(files() == before);
  }

  // Goes on from the step, and says of each newer checkpoint why not from that.
  void expect_goes_on_from(std::int64_t step, const std::vector<std::string>& rejections) {
    const Outcome outcome = go_on();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
    EXPECT_TRUE(outcome.says(fmt::format("resumed at step {} of 8", step))) << outcome.all();
    for (const std::string& rejection : rejections) {
      EXPECT_TRUE(outcome.says("rejected " + rejection)) << rejection << "\n" << outcome.all();
    }
    EXPECT_EQ(checkpoint(8).state.step, 8);
  }

  // Of the training lines; a repeated step is a failure.
  std::map<std::int64_t, double> elbo_by_step() const {
    std::map<std::int64_t, double> elbos;
    for (const auto& line : metrics()) {
      if (line["kind"] != "train") continue;
      EXPECT_TRUE(elbos.emplace(line["step"], line["elbo"]).second) << line;
    }
    return elbos;
  }

  void damage(std::int64_t step, const std::function<void(std::string&)>& change) {
    std::string bytes = bytes_of(checkpoint_path(step));
    change(bytes);
    put_bytes(checkpoint_path(step), bytes);
  }
  void truncate(std::int64_t step) {
    damage(step, [](std::string& bytes) { bytes.resize(bytes.size() / 2); });
  }
  void flip_a_bit(std::int64_t step) {
    damage(step, [](std::string& bytes) { bytes[bytes.size() / 2] ^= 16; });
  }
};

TEST_F(Resume, RefusesAnotherRun) {
  expect_refused("--set model.topics=7", {"model.topics: was 4, is 7", folder_ / "run", "--run-dir"});
  expect_refused("--set model.alpha=0.2", {"model.alpha: was 0.1, is 0.2"});
  expect_refused("--set run.seed=2", {"run.seed: was 1, is 2"});
  expect_refused("--set train.batch=30 --set data.shards=4", {"train.batch: was 40, is 30", "data.shards"});
  expect_refused("--set optimizer.delay=5", {"optimizer.delay"});
  expect_refused("--set data.split_seed=5", {"data.split_seed: was 1, is 5"});
}

TEST_F(Resume, RefusesAnotherModel) {
  const auto before = files();
  expect_refusal(train(0, vae()), ExitCode::bad_config, {"model.type lda, not vae", folder_ / "run"});
  EXPECT_TRUE(files() == before);
}

TEST_F(Resume, RefusesOtherData) {
  write_documents(folder_ / "other.h5", 400, 80, 2);
  expect_refused("--set data.train=" + (folder_ / "other.h5"),
                 {"other training or validation data", "other.h5"});
  write_documents(folder_ / "fewer.h5", 400, 60, 1);
  expect_refused("--set data.train=" + (folder_ / "fewer.h5"), {"fewer.h5", folder_ / "run"});
  std::filesystem::copy(folder_ / "documents.h5", folder_ / "moved.h5");
  const Outcome moved = go_on("--set data.train=" + (folder_ / "moved.h5"));
  EXPECT_EQ(moved.exit_code, 0) << moved.all();
  EXPECT_TRUE(moved.says("resumed at step 6 of 8")) << moved.all();
}

// Which no look at a few rows would find.
TEST_F(Resume, RefusesDataWithOneOtherCount) {
  const hid_t file = H5Fopen((folder_ / "documents.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t counts = H5Dopen2(file, "X/data", H5P_DEFAULT);
  const hid_t space = H5Dget_space(counts);
  std::vector<float> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  ASSERT_GE(H5Dread(counts, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  values[values.size() / 3] += 1;
  ASSERT_GE(H5Dwrite(counts, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  H5Sclose(space);
  H5Dclose(counts);
  H5Fclose(file);
  expect_refused("", {"other training or validation data", "documents.h5"});
}

TEST_F(Resume, AcceptsWhatDoesNotChangeTheModel) {
  const Outcome outcome = go_on(
      "--set evaluation.every_steps=3 --set checkpoint.every_steps=1 --set checkpoint.keep_last=1 "
      "--set communication.timeout_seconds=50 --set run.log_every_steps=2 --set device.type=cpu");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
  EXPECT_TRUE(outcome.says("resumed at step 6 of 8")) << outcome.all();
  EXPECT_FALSE(std::filesystem::exists(checkpoint_path(7)));
  EXPECT_TRUE(std::filesystem::exists(checkpoint_path(8)));
}

TEST_F(Resume, RefusesAnotherLengthWhereTheScheduleDependsOnIt) {
  const std::string cosine = vae() + " --set optimizer.schedule=cosine --set run.name=cosine";
  ASSERT_EQ(train(0, cosine).exit_code, 0);
  expect_refusal(train(0, cosine + " --set train.steps=9"), ExitCode::bad_config,
                 {"train.steps: was 6, is 9"});
  const std::string constant = vae() + " --set run.name=constant";
  ASSERT_EQ(train(0, constant).exit_code, 0);
  EXPECT_EQ(train(0, constant + " --set train.steps=9").exit_code, 0);
}

TEST_F(Resume, ADoneRunHasNothingLeftToDo) {
  write_documents(folder_ / "test.h5", 60, 80, 2);
  const std::string with_test = lda() + " --set data.test=" + (folder_ / "test.h5");
  const auto evaluations = [&] {
    std::vector<nlohmann::json> lines = metrics();
    std::erase_if(lines, [](const auto& line) { return line["kind"] != "evaluation"; });
    return lines;
  };
  const auto validation_only = evaluations();
  for (int start = 0; start < 2; ++start) {  // says the same again, and adds nothing
    const Outcome outcome = train(0, with_test);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
    EXPECT_TRUE(outcome.says("resumed at step 6 of 6")) << outcome.all();
    EXPECT_TRUE(outcome.says("test ")) << outcome.all();
    EXPECT_EQ(evaluations().size(), validation_only.size() + 1);
    EXPECT_EQ(evaluations().back()["split"], "test");
  }
}

TEST_F(Resume, FallsBackToTheNewestThatVerifies) {
  truncate(6);
  expect_goes_on_from(4, {checkpoint_path(6) + ": " + checkpoint_path(6)});
}

TEST_F(Resume, FallsBackPastSeveral) {
  truncate(6);
  flip_a_bit(4);
  expect_goes_on_from(2, {checkpoint_path(6), checkpoint_path(4)});
}

TEST_F(Resume, FallsBackToTheBestInTheEnd) {
  for (const std::int64_t step : {2, 4, 6}) truncate(step);
  expect_goes_on_from(6, {checkpoint_path(6), checkpoint_path(4), checkpoint_path(2)});
}

TEST_F(Resume, AFileNamedForAnotherStepIsNotTried) {
  std::filesystem::rename(checkpoint_path(4), checkpoint_path(999));
  expect_goes_on_from(6, {checkpoint_path(999) + ": " + checkpoint_path(999) + ": it holds step 4"});
}

// The plan looks for what a start would find, and leaves everything as it was.
TEST_F(Resume, IsPartOfThePlan) {
  const auto before = files();
  const Outcome outcome = go_on("--dry-run");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
  EXPECT_TRUE(outcome.says("resumed at step 6")) << outcome.all();
  EXPECT_TRUE(files() == before);
  expect_refused("--dry-run --set model.topics=5", {"model.topics: was 4, is 5"});
}

TEST_F(Resume, OfANewerSchemaIsNotTried) {
  const hid_t file = H5Fopen(checkpoint_path(6).c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  checkpoint::test::set_number(file, ".", "schema_major", std::int64_t{2});
  H5Fclose(file);
  checkpoint::test::reseal(checkpoint_path(6));
  const Outcome outcome = go_on();
  EXPECT_TRUE(outcome.says("schema_major 2, newer than the 1")) << outcome.all();
  EXPECT_TRUE(outcome.says("resumed at step 4 of 8")) << outcome.all();
}

TEST_F(Resume, NeverStartsOverByItself) {
  std::filesystem::remove(folder_ / "run/checkpoints/best.h5");
  for (const std::int64_t step : {2, 4, 6}) flip_a_bit(step);
  expect_refused("", {"none of the 3 checkpoints", folder_ / "run", "never starts over", checkpoint_path(2)},
                 ExitCode::bad_data);
}

TEST_F(Resume, CutsMetricsBackToTheCheckpoint) {
  const std::map<std::int64_t, double> before = elbo_by_step();
  ASSERT_EQ(before.size(), 6U);
  std::filesystem::remove(checkpoint_path(6));
  std::filesystem::remove(folder_ / "run/checkpoints/best.h5");
  std::ofstream(folder_ / "run/metrics.jsonl", std::ios::app) << "{\"kind\":\"train\",\"st";  // cut off
  expect_goes_on_from(4, {});
  std::map<std::int64_t, double> after = elbo_by_step();
  ASSERT_EQ(after.size(), 8U);
  for (const auto& [step, elbo] : before) EXPECT_DOUBLE_EQ(after[step], elbo) << step;
}

}  // namespace
}  // namespace svi::test
