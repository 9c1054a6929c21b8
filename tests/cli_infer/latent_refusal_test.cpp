#include <ATen/ATen.h>

#include <cmath>

#include "cli_infer/topic_run.hpp"
#include "svi/data/data_file.hpp"

namespace svi::test {
namespace {

class LatentRefusals : public TopicRun {
 protected:
  void SetUp() override { ASSERT_EQ(train(0, vae()).exit_code, 0); }

  std::string encode(const std::string& input, const std::string& output) const {
    return "encode " + run_ + " " + input + " --output " + output;
  }
  std::string score(const std::string& input, const std::string& options = "") const {
    return "score " + run_ + " " + input + " " + options;
  }
  // Twenty rows of .5, with one number elsewhere.
  std::string with_number(const std::string& name, float number) const {
    DenseRows rows{.features = at::full({20, 36}, 0.5F)};
    rows.features[13][7] = number;
    data::write_dense(folder_ / name, rows, {6, 6});
    return folder_ / name;
  }

  const std::string images_ = folder_ / "images.h5";
  const std::string output_ = folder_ / "z.h5ad";
};

TEST_F(LatentRefusals, OtherModels) {
  std::filesystem::remove_all(run_);
  ASSERT_EQ(train(0, lda()).exit_code, 0);
  for (const std::string& command : {encode(documents_, output_), score(documents_),
                                     "evaluate --nll 5 " + run_, "evaluate --rows 5 " + run_}) {
    expect_told(infer(command), ExitCode::usage, {"lda", "latent vector", "svi-infer transform"});
  }
  expect_told(infer_on(2, encode(documents_, output_)), ExitCode::usage, {"lda", "latent vector"});
}

TEST_F(LatentRefusals, FilesThatDoNotFit) {
  write_images(folder_ / "wide.h5", 20, 7, 1);
  write_documents(folder_ / "words.h5", 20, 36, 1);
  for (const std::string& path : {folder_ / "wide.h5", folder_ / "words.h5"}) {
    for (const std::string& command :
         {encode(path, output_), score(path), "evaluate --data " + path + " " + run_})
      expect_told(infer(command), ExitCode::bad_data, {path});
  }
  expect_told(infer(encode(folder_ / "wide.h5", output_)), ExitCode::bad_data,
              {"INPUT", "wide.h5", "[7, 7]", "[6, 6]"});
  expect_told(infer_on(2, score(folder_ / "wide.h5")), ExitCode::bad_data, {"[7, 7]", "[6, 6]"});
  expect_told(infer(encode(folder_ / "none.h5", output_)), ExitCode::missing_input, {"none.h5"});
  expect_told(infer(score(folder_ / "none.h5")), ExitCode::missing_input, {"none.h5"});
  const std::string bytes = bytes_of(images_);
  put_bytes(folder_ / "damaged.h5", bytes.substr(0, bytes.size() / 2));
  expect_told(infer(score(folder_ / "damaged.h5")), ExitCode::bad_data, {"damaged.h5"});
  EXPECT_FALSE(std::filesystem::exists(output_));
}

// A row that is no number, or that the likelihood cannot give, leaves an older output as it was.
TEST_F(LatentRefusals, ValuesThatDoNotFit) {
  put_bytes(output_, "older");
  const std::string broken = with_number("broken.h5", std::nanf(""));
  for (const std::string& command :
       {encode(broken, output_), score(broken), "evaluate --nll 2 --data " + broken + " " + run_})
    expect_told(infer(command), ExitCode::bad_data, {"broken.h5", "13"});
  expect_told(infer_on(2, encode(broken, output_)), ExitCode::bad_data, {"broken.h5", "13"});
  const std::string large = with_number("large.h5", 2);
  for (const std::string& command :
       {encode(large, output_), score(large), "evaluate --nll 2 --data " + large + " " + run_})
    expect_told(infer(command), ExitCode::bad_data, {"large.h5", "bernoulli", "2"});
  EXPECT_EQ(bytes_of(output_), "older");
}

// Every row is looked at, not only the 5,000 that the mutual information is of: of 5,200 it leaves out 25.
TEST_F(LatentRefusals, ValuesThatDoNotFitInAnyRow) {
  DenseRows rows{.features = at::full({5200, 36}, 0.5F)};
  rows.features[25][7] = 255;
  data::write_dense(folder_ / "long.h5", rows, {6, 6});
  const std::string command = "evaluate --data " + (folder_ / "long.h5") + " " + run_;
  const std::vector<std::string> parts{"long.h5", "bernoulli", "row 25", "255"};
  expect_told(infer(command), ExitCode::bad_data, parts);
  expect_told(infer_on(2, command), ExitCode::bad_data, parts);
  EXPECT_EQ(infer("evaluate --rows 25 --data " + (folder_ / "long.h5") + " " + run_).exit_code, 0);
}

TEST_F(LatentRefusals, Options) {
  expect_told(infer("evaluate --nll 0 " + run_), ExitCode::usage, {"--nll", "found 0"});
  expect_told(infer("evaluate --rows 0 " + run_), ExitCode::usage, {"--rows", "found 0"});
  expect_told(infer(score(images_, "--by nll --samples 0")), ExitCode::usage, {"--samples", "found 0"});
  expect_told(infer(score(images_, "--by beauty")), ExitCode::usage, {"beauty", "reconstruction"});
  expect_told(infer(encode(images_, folder_ / "z.csv")), ExitCode::usage,
              {"z.csv", "expected .h5ad, .h5 or .tsv"});
  expect_told(infer(score(images_, "--output a.mtx")), ExitCode::usage, {"a.mtx", ".jsonl"});
  expect_told(infer(score(images_, "--output ''")), ExitCode::usage, {"--output is empty"});
  expect_told(infer(encode(images_, folder_ / "nowhere/z.h5")), ExitCode::cannot_write, {"nowhere"});
  expect_told(infer(score(images_, "--output nowhere/a.tsv")), ExitCode::cannot_write, {"nowhere"});
  expect_told(infer(encode(images_, "/proc/z.h5")), ExitCode::cannot_write, {"/proc/z.h5"});
  expect_told(infer(encode(images_, images_)), ExitCode::usage, {"is the input"});
  expect_told(infer_on(2, encode(images_, folder_ / "z.csv")), ExitCode::usage, {"z.csv"});
}

TEST_F(LatentRefusals, Labels) {
  expect_told(infer(score(images_, "--labels-outlier 7")), ExitCode::usage,
              {"images.h5", "label 7", "0, 1, 2, 3, 4"});
  expect_told(infer(score(images_, "--labels-outlier 0,1,2,3,4")), ExitCode::usage, {"every row"});
  expect_told(infer(score(with_number("plain.h5", 0), "--labels-outlier 1")), ExitCode::usage,
              {"plain.h5", "no labels"});
  std::filesystem::rename(images_, folder_ / "moved.h5");
  expect_told(infer(score(folder_ / "moved.h5")), ExitCode::missing_input,
              {"images.h5", "--training-rows 0"});
  EXPECT_EQ(infer(score(folder_ / "moved.h5", "--training-rows 0")).exit_code, 0);
}

TEST_F(LatentRefusals, Pictures) {
  const std::string sample =
      "sample --output " + (folder_ / "a.png") + " --data " + images_ + " " + run_ + " ";
  expect_told(infer(sample + "--interpolate 0 400"), ExitCode::usage,
              {"--interpolate", "row 400", "0 to 399"});
  expect_told(infer(sample + "--interpolate 0 -1"), ExitCode::usage, {"row -1"});
  expect_told(infer(sample + "--interpolate 0 1 2"), ExitCode::usage, {"3 rows", "pairs"});
  expect_told(infer(sample + "--traverse 400"), ExitCode::usage, {"--traverse", "row 400"});
  expect_told(infer(sample + "--traverse 1 --dimensions 0,3"), ExitCode::usage,
              {"--dimensions", "3", "0 to 2"});
  expect_told(infer(sample + "--traverse 1 --interpolate 0 1"), ExitCode::usage, {"--interpolate"});
  expect_told(infer(sample + "--dimensions 1"), ExitCode::usage, {"--traverse"});
  expect_told(infer(sample + "--temperature -1"), ExitCode::usage, {"--temperature", "found -1"});
  expect_told(infer(sample + "--seed -1"), ExitCode::usage, {"--seed"});
  expect_told(infer(sample + "--traverse 0 --range inf"), ExitCode::usage, {"--range", "found inf"});
  expect_told(infer(sample + "--traverse 0 --range 1e308"), ExitCode::usage, {"--range"});
  expect_told(infer(sample + "--traverse 1 --steps 1"), ExitCode::usage, {"--steps", "found 1"});
  expect_told(infer("sample --traverse 1 --output a.png " + run_), ExitCode::usage,
              {"no test data", "--data"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.png"));
}

}  // namespace
}  // namespace svi::test
