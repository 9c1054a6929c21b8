// Steps whose totals are not finite: told, skipped as often as allowed, and the run's end beyond that.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <hdf5.h>

#include <cmath>
#include <limits>
#include <set>

#include "svi/data/data_file.hpp"
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

using checkpoint::parameters_hash;

// Measurements of which two rows are finite float32, but no square of them is.
class Nonfinite : public RunFolder {
 protected:
  static constexpr std::int64_t first_bad = 17;
  static constexpr std::int64_t second_bad = 230;

  void SetUp() override {
    DenseRows rows{.features = at::sin(at::arange(400 * 4)).view({400, 4}).to(at::kFloat).contiguous(),
                   .labels = {}};
    rows.features[first_bad][2] = 3e38;
    rows.features[second_bad][0] = -3e38;
    data::write_dense(folder_ / "outliers.h5", rows, {4});
  }

  std::string config(const std::string& name, std::int64_t steps, const std::string& more) {
    return fmt::format(
        "{} --set data.train={} --set data.validation.fraction=0 --set model.likelihood=gaussian "
        "--set model.activation=tanh --set checkpoint.every_steps=1 --set checkpoint.keep_last=100 "
        "--set train.steps={} --set run.name={} {}",
        vae(), folder_ / "outliers.h5", steps, name, more);
  }
  // The steps that a run told as not finite, from its files.
  std::set<std::int64_t> told(const std::string& name) {
    std::set<std::int64_t> steps;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / name)) {
      const std::string file = entry.path().filename();
      if (!file.starts_with("nonfinite-step-")) continue;
      const auto json = nlohmann::json::parse(bytes_of(entry.path()));
      steps.insert(json["step"].get<std::int64_t>());
      EXPECT_EQ(file, fmt::format("nonfinite-step-{}.json", json["step"].get<std::int64_t>()));
      const auto rows = json["rows"].get<std::set<std::int64_t>>();
      EXPECT_EQ(rows.size(), 40U);
      EXPECT_TRUE(rows.contains(first_bad) || rows.contains(second_bad)) << json;
      EXPECT_TRUE(json["terms"]["reconstruction"].is_null()) << json;
      EXPECT_EQ(json["terms"]["rows"], 40);
    }
    return steps;
  }
  std::set<std::int64_t> events(const std::string& name) {
    std::set<std::int64_t> steps;
    for (const auto& line : metrics(name)) {
      if (line["kind"] != "event" || line["event"] != "nonfinite_step") continue;
      EXPECT_TRUE(steps.insert(line["step"].get<std::int64_t>()).second) << line;
      EXPECT_NE(line["text"].get<std::string>().find("the ELBO is not finite"), std::string::npos) << line;
    }
    return steps;
  }
};

TEST_F(Nonfinite, EndsTheRunAndKeepsWhatWasGood) {
  std::set<std::int64_t> alone;
  for (const int ranks : {0, 2}) {
    const std::string name = fmt::format("ranks-{}", ranks);
    const Outcome outcome = train(ranks, config(name, 20, ""));
    const std::set<std::int64_t> steps = told(name);
    ASSERT_EQ(steps.size(), 1U) << outcome.all();
    const std::int64_t bad = *steps.begin();
    expect_refusal(outcome, ExitCode::internal,
                   {fmt::format("the ELBO is no longer finite after step {}", bad - 1),
                    fmt::format("nonfinite-step-{}.json", bad), "earlier checkpoints are intact"});
    EXPECT_EQ(events(name), steps);
    EXPECT_FALSE(std::filesystem::exists(checkpoint_path(bad, name)));
    if (bad > 1) {
      EXPECT_TRUE(at::isfinite(checkpoint(bad - 1, name).state.parameters.flat()).all().item<bool>());
    }
    if (ranks == 0) alone = steps;
    EXPECT_EQ(steps, alone);
  }
  EXPECT_EQ(bytes_of(folder_ / fmt::format("ranks-0/nonfinite-step-{}.json", *alone.begin())),
            bytes_of(folder_ / fmt::format("ranks-2/nonfinite-step-{}.json", *alone.begin())));
}

TEST_F(Nonfinite, SkipsStepsAsOftenAsAllowed) {
  const Outcome outcome = train(0, config("whole", 20, "--set train.nonfinite_steps=4"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
  const std::set<std::int64_t> steps = told("whole");
  EXPECT_GE(steps.size(), 2U);  // two epochs, each with one minibatch or two that hold a bad row
  EXPECT_LE(steps.size(), 4U);
  EXPECT_EQ(events("whole"), steps);
  const TrainingState whole = checkpoint(20, "whole").state;
  EXPECT_EQ(whole.skipped_steps, std::ssize(steps));
  for (std::int64_t step = 2; step <= 20; ++step) {
    const TrainingState before = checkpoint(step - 1, "whole").state;
    const TrainingState after = checkpoint(step, "whole").state;
    EXPECT_TRUE(at::isfinite(after.parameters.flat()).all().item<bool>());
    EXPECT_EQ(parameters_hash(before) == parameters_hash(after), steps.contains(step)) << step;
    if (steps.contains(step)) {
      EXPECT_EQ(before.previous_means, after.previous_means);
    }
  }

  // Stopped and resumed right before and right after a bad step.
  for (const std::int64_t stop : {*steps.begin() - 1, *steps.begin()}) {
    if (stop == 0) continue;
    const std::string name = fmt::format("parts-{}", stop);
    for (const std::int64_t last : {stop, std::int64_t{20}})
      ASSERT_EQ(train(0, config(name, last, "--set train.nonfinite_steps=4")).exit_code, 0);
    const TrainingState parts = checkpoint(20, name).state;
    EXPECT_EQ(parameters_hash(parts), parameters_hash(whole));
    EXPECT_EQ(parts.skipped_steps, whole.skipped_steps);
    EXPECT_EQ(told(name), steps);
    EXPECT_EQ(events(name), steps);
  }
  const Outcome two = train(2, config("two", 20, "--set train.nonfinite_steps=4"));
  ASSERT_EQ(two.exit_code, 0) << two.all();
  EXPECT_EQ(told("two"), steps);
  for (const auto& [tensor, difference] :
       differences(checkpoint(20, "two").state.parameters, whole.parameters))
    EXPECT_LE(difference, 1e-3) << tensor;
}

TEST_F(Nonfinite, CountsTheSkipsOfTheWholeRun) {
  const Outcome outcome = train(0, config("run", 100, "--set train.nonfinite_steps=3"));
  expect_refusal(outcome, ExitCode::internal,
                 {"no longer finite", "skipped before: 3", "train.nonfinite_steps"});
  const std::set<std::int64_t> steps = told("run");
  ASSERT_EQ(steps.size(), 4U);
  const std::int64_t last = *steps.rbegin();
  EXPECT_EQ(checkpoint(last - 1).state.skipped_steps, 3);
  EXPECT_FALSE(std::filesystem::exists(checkpoint_path(last)));
  const Outcome more = train(0, config("run", last, "--set train.nonfinite_steps=4"));
  EXPECT_EQ(more.exit_code, 0) << more.all();
  EXPECT_TRUE(more.says(fmt::format("resumed at step {}", last - 1))) << more.all();
  EXPECT_EQ(checkpoint(last).state.skipped_steps, 4);
}

// NaN is refused where it is read, whatever the rows are for.
class NanInData : public RunFolder {
 protected:
  void put_nan(const std::string& file, const char* dataset, std::size_t place) {
    const hid_t opened = H5Fopen((folder_ / file).c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t values = H5Dopen2(opened, dataset, H5P_DEFAULT);
    const hid_t space = H5Dget_space(values);
    std::vector<float> numbers(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    ASSERT_GE(H5Dread(values, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data()), 0);
    numbers.at(place) = std::numeric_limits<float>::quiet_NaN();
    ASSERT_GE(H5Dwrite(values, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data()), 0);
    H5Sclose(space);
    H5Dclose(values);
    H5Fclose(opened);
  }
};

TEST_F(NanInData, OfDenseRowsNamesTheRow) {
  write_measurements(folder_ / "good.h5", 50, 4, 1);
  write_measurements(folder_ / "bad.h5", 50, 4, 1);
  put_nan("bad.h5", "x", 4 * 31 + 2);
  const std::string good =
      vae() + " --set data.validation.fraction=0 --set data.train=" + (folder_ / "good.h5");
  for (const char* key : {"data.train", "data.validation", "data.test"}) {
    const std::string arguments = fmt::format("{} --set {}={}", good, key, folder_ / "bad.h5");
    expect_refusal(train(0, arguments), ExitCode::bad_data,
                   {"bad.h5", "feature 2 of row 31", "nan", "finite"});
    expect_refusal(train(2, arguments), ExitCode::bad_data, {"bad.h5", "feature 2 of row 31"});
  }
}

TEST_F(NanInData, OfWordCountsNamesTheRow) {
  lda();
  write_documents(folder_ / "bad.h5", 400, 80, 1);
  put_nan("bad.h5", "X/data", 100);
  for (const char* key : {"data.train", "data.validation", "data.test"}) {
    const std::string fraction = " --set data.validation.fraction=0";
    const std::string arguments = fmt::format("{}{} --set {}={}", lda(), fraction, key, folder_ / "bad.h5");
    expect_refusal(train(0, arguments), ExitCode::bad_data, {"bad.h5", "nan", "row"});
  }
}

}  // namespace
}  // namespace svi::test
