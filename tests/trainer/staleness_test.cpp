// communication.staleness: a step's sums belong to the parameters of one step ago.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "trainer/run_folder.hpp"

namespace svi::test {
namespace {

// Plain gradients add up in the momentum, m ← μ m + g: so it tells which parameters the gradients belong to.
class Staleness : public RunFolder {
 protected:
  static constexpr const char* frozen = "1e-30";  // a rate that changes no parameter
  static constexpr const char* moving = "0.01";

  void SetUp() override {
    for (int steps = 1; steps <= 3; ++steps) {
      train_to(steps, frozen, 0);
      train_to(steps, moving, 0);
      train_to(steps, moving, 1);
    }
  }

  static std::string name(int steps, const std::string& rate, int staleness) {
    return fmt::format("{}-{}-{}", steps, rate, staleness);
  }

  void train_to(int steps, const std::string& rate, int staleness) {
    const Outcome outcome = train(
        0, fmt::format("{} --run-dir {} --set train.steps={} --set optimizer.type=sgd --set optimizer.momentum=0.5 "
                       "--set optimizer.learning_rate={} --set communication.staleness={}",
                       vae(), folder_ / name(steps, rate, staleness), steps, rate, staleness));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.all();
  }

  Tensor momentum(int steps, const std::string& rate, int staleness) const {
    return checkpoint(steps, name(steps, rate, staleness)).state.optimizer.at("momentum").flat();
  }
  Tensor parameters(int steps, const std::string& rate, int staleness) const {
    return checkpoint(steps, name(steps, rate, staleness)).state.parameters.flat();
  }
};

TEST_F(Staleness, OfOneTakesGradientsAtTheParametersOfOneStepAgo) {
  // The first step has no older parameters than its own.
  EXPECT_TRUE(momentum(1, moving, 1).equal(momentum(1, frozen, 0)));
  EXPECT_TRUE(parameters(1, moving, 1).equal(parameters(1, moving, 0)));
  EXPECT_FALSE(parameters(1, moving, 1).equal(parameters(1, frozen, 0)));
  // The second step's gradient is that of the second minibatch at the first parameters.
  EXPECT_TRUE(momentum(2, moving, 1).equal(momentum(2, frozen, 0)));
  EXPECT_FALSE(momentum(2, moving, 1).equal(momentum(2, moving, 0)));
  // The third's belongs to the parameters after the first step: neither the first nor the latest ones.
  EXPECT_FALSE(momentum(3, moving, 1).equal(momentum(3, frozen, 0)));
  EXPECT_FALSE(momentum(3, moving, 1).equal(momentum(3, moving, 0)));
}

// What a checkpoint holds is the sum of the next step: with it that step's momentum can be foretold.
TEST_F(Staleness, PendingSumsAreThoseOfTheNextStep) {
  const TrainingState before = checkpoint(1, name(1, moving, 1)).state;
  const Tensor& pending = before.optimizer.at("pending").flat();
  const double rows = before.pending_terms.at("rows").front();
  EXPECT_EQ(rows, 40);
  const Tensor foretold = 0.5 * momentum(1, moving, 1) + pending / rows;
  EXPECT_TRUE(foretold.allclose(momentum(2, moving, 1), 1e-5, 1e-7));
}

TEST_F(Staleness, CannotChangeWithinARun) {
  const std::string command =
      fmt::format("{} --run-dir {} --set train.steps=3 --set optimizer.type=sgd --set optimizer.momentum=0.5 --set "
                  "optimizer.learning_rate={} --set communication.staleness=1",
                  vae(), folder_ / name(2, moving, 0), moving);
  expect_refusal(train(0, command), ExitCode::bad_config, {"communication.staleness: was 0, is 1"});
}

}  // namespace
}  // namespace svi::test
