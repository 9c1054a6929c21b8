// A VAE on word counts, by the real programs: straight from the sparse file, on any number of ranks.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "svi/data/data_file.hpp"
#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

class VaeCounts : public RunFolder {
 protected:
  // The VAE of pictures on documents instead, to `steps` in the run directory `name`.
  std::string counts(const std::string& name, const std::string& likelihood, std::int64_t steps) {
    lda();
    return fmt::format("{} --run-dir {} --set data.train={} --set model.likelihood={} --set train.steps={} ",
                       vae(), folder_ / name, folder_ / "documents.h5", likelihood, steps);
  }
  Outcome dense(const std::string& file, const std::string& settings) {
    return train(0, fmt::format("{} --set data.train={} {}", vae(), folder_ / file, settings));
  }
  std::vector<double> elbos(const std::string& name, const std::string& kind) const {
    std::vector<double> values;
    for (const auto& line : metrics(name)) {
      if (line["kind"] == kind) values.push_back(line["elbo"]);
    }
    return values;
  }
};

TEST_F(VaeCounts, TrainTheSameModelOnAnyNumberOfRanks) {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    const Outcome outcome =
        train(ranks, counts(fmt::format("{}-ranks", ranks), "zero_inflated_negative_binomial", 100));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
    const auto found = checkpoint(100, fmt::format("{}-ranks", ranks)).state;
    const auto expected = checkpoint(100, "1-ranks").state;
    for (const auto& [tensor, difference] : differences(found.parameters, expected.parameters))
      EXPECT_LE(difference, 1e-3) << tensor << ' ' << ranks;
  }
  const std::vector<double> training = elbos("1-ranks", "train");
  EXPECT_GT(training.back(), training.front() + 10);
  const std::vector<double> validation = elbos("1-ranks", "evaluation");
  ASSERT_FALSE(validation.empty());
  EXPECT_GT(validation.back(), training.front() + 10);
  const at::Tensor learned = checkpoint(100, "1-ranks").state.parameters["likelihood/log_dispersion"];
  EXPECT_EQ(learned.numel(), 80);
  EXPECT_GT(learned.abs().min().item<double>(), 0);  // every word's has moved
}

TEST_F(VaeCounts, GoOnAfterAStopAndStreamAsIfNothingHadHappened) {
  for (const char* likelihood : {"poisson", "negative_binomial"}) {
    SCOPED_TRACE(likelihood);
    const std::string windows = " --set data.shuffle=windowed --set data.window_rows=8";
    const auto run = [&](const std::string& name, std::int64_t steps, const std::string& more) {
      const Outcome outcome = train(0, counts(likelihood + name, likelihood, steps) + windows + more);
      ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
    };
    run("-whole", 12, "");
    run("-parts", 6, "");
    run("-parts", 12, "");
    run("-streamed", 12, " --set data.memory_limit=60000");
    const auto hash = [&](const std::string& name) {
      return checkpoint::parameters_hash(checkpoint(12, likelihood + name).state);
    };
    EXPECT_EQ(hash("-parts"), hash("-whole"));
    EXPECT_EQ(hash("-streamed"), hash("-whole"));
  }
}

TEST_F(VaeCounts, TheOtherLayoutIsRefused) {
  lda();
  for (const char* likelihood : {"poisson", "negative_binomial", "zero_inflated_negative_binomial"}) {
    vae();
    expect_refusal(dense("images.h5", fmt::format("--set model.likelihood={}", likelihood)),
                   ExitCode::bad_data, {"data.train", "images.h5 holds dense rows", "needs word counts"});
  }
  for (const char* likelihood : {"bernoulli", "categorical", "gaussian"}) {
    expect_refusal(dense("documents.h5", fmt::format("--set model.likelihood={}", likelihood)),
                   ExitCode::bad_data,
                   {"data.train", "documents.h5 holds word counts", "needs dense rows", "negative_binomial"});
  }
}

class VaeData : public VaeCounts {
 protected:
  void write(const std::string& name, at::Tensor features) {
    const std::int64_t columns = features.size(1);
    data::write_dense(folder_ / name, {.features = std::move(features), .labels = {}}, {columns});
  }
};

TEST_F(VaeData, OutOfRangeNamesFileRowAndValue) {
  const at::Tensor levels = at::remainder(at::arange(200, at::kFloat), 4).view({50, 4});
  write("levels.h5", levels.to(at::kByte));
  const std::string categorical = "--set model.likelihood=categorical --set model.levels=";
  expect_refusal(dense("levels.h5", categorical + "3"), ExitCode::bad_data,
                 {"data.train", "levels.h5", "row 0, feature 3 is 3", "from 0 to 2", "model.levels: 3"});
  const Outcome fits = dense("levels.h5", categorical + "4");
  EXPECT_EQ(fits.exit_code, 0) << fits.all();

  at::Tensor shares = levels / 4;
  shares[33][1] = -0.25F;
  write("shares.h5", shares);
  for (const char* likelihood : {"bernoulli", "continuous_bernoulli", "discretised_logistic"}) {
    if (likelihood == std::string("discretised_logistic")) write("shares.h5", at::round(shares * 255) / 255);
    expect_refusal(dense("shares.h5", fmt::format("--set model.likelihood={}", likelihood)),
                   ExitCode::bad_data,
                   {"data.train", "shares.h5", "row 33, feature 1 is -0.25", likelihood, "gaussian"});
  }
  shares[33][1] = std::nanf("");
  write("shares.h5", shares);
  expect_refusal(dense("shares.h5", "--set model.likelihood=gaussian"), ExitCode::bad_data,
                 {"shares.h5", "feature 1 of row 33", "nan"});
}

TEST_F(VaeData, AKeyThatIsWrongIsRefused) {
  vae();
  expect_refusal(dense("images.h5", "--set model.likelihood=zinb"), ExitCode::bad_config,
                 {"model.likelihood", "zinb", "zero_inflated_negative_binomial"});
  expect_refusal(dense("images.h5", "--set model.variance=learnt"), ExitCode::bad_config,
                 {"model.variance", "learnt", "learned_per_feature"});
  expect_refusal(dense("images.h5", "--set model.levels=1"), ExitCode::bad_config, {"model.levels", "1"});
  expect_refusal(dense("images.h5", "--set model.likelihood=gaussian --set model.binarisation=dynamic"),
                 ExitCode::bad_config, {"model.binarisation: dynamic", "bernoulli", "gaussian"});
}

}  // namespace
}  // namespace svi::test
