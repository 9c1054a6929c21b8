// Matrix products in bfloat16 beside parameters in float32, through whole runs.
#include <ATen/ATen.h>

#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

using checkpoint::parameters_hash;

class PrecisionRuns : public RunFolder {
 protected:
  // Forty steps of a VAE, so many in each start of the program.
  checkpoint::Checkpoint run(const std::string& name, const std::string& precision, int at_once = 40,
                             int ranks = 0) {
    const std::string arguments =
        vae() + " --set device.precision=" + precision + " --set run.name=" + name;
    for (int steps = at_once; steps <= 40; steps += at_once) {
      const Outcome outcome = train(ranks, arguments + " --set train.steps=" + std::to_string(steps));
      EXPECT_EQ(outcome.exit_code, 0) << outcome.all();
    }
    return checkpoint(40, name);
  }

  double last_elbo(const std::string& name) {
    double elbo = NAN;
    for (const auto& line : metrics(name))
      if (line["kind"] == "train") elbo = line["elbo"].get<double>();
    return elbo;
  }
};

// Products are rounded to 8 bits, so that runs go apart, but not far: by less than 2 % of the bound here,
// where a step in float32 gains more than that in all.
TEST_F(PrecisionRuns, Bfloat16IsNearFloat32) {
  const checkpoint::Checkpoint single = run("single", "float32");
  const checkpoint::Checkpoint half = run("half", "bfloat16");
  EXPECT_EQ(half.state.parameters.flat().scalar_type(), at::kFloat);
  EXPECT_NE(parameters_hash(half.state), parameters_hash(single.state));
  const double elbo = last_elbo("single");
  EXPECT_NEAR(last_elbo("half"), elbo, 0.02 * std::fabs(elbo));
}

TEST_F(PrecisionRuns, Bfloat16ResumesToTheBit) {
  EXPECT_EQ(parameters_hash(run("parts", "bfloat16", 20).state),
            parameters_hash(run("whole", "bfloat16").state));
}

// Each rank rounds its own sums, so that ranks agree as far as bfloat16 does.
TEST_F(PrecisionRuns, Bfloat16OnTwoRanks) {
  run("one", "bfloat16");
  run("two", "bfloat16", 40, 2);
  const double elbo = last_elbo("one");
  EXPECT_NEAR(last_elbo("two"), elbo, 0.02 * std::fabs(elbo));
}

TEST_F(PrecisionRuns, ModelsWithoutNetworksRefuseBfloat16) {
  expect_refusal(train(0, lda() + " --set device.precision=bfloat16"), ExitCode::bad_config,
                 {"device.precision", "bfloat16", "lda", "float32"});
}

}  // namespace
}  // namespace svi::test
