// Clipping, weight decay and the moving average of the parameters: against the same written out number by
// number, and rule by rule.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "svi/core/norm.hpp"
#include "svi/optim/update_rule.hpp"

namespace {

using svi::OptimizerOptions;
using svi::Tensor;
using svi::TrainingState;

// A weight, a bias, and a weight again, so that weight decay has to tell three stretches apart.
const std::vector<svi::ParameterShape> shapes{{"a/weight", {3, 7}}, {"a/bias", {5}}, {"b/weight", {2, 2, 2}}};

TrainingState state_for(const svi::UpdateRule& rule, at::ScalarType type) {
  TrainingState state;
  state.parameters = svi::ParameterSet(shapes, type);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const std::int64_t size = shapes[i].elements();
    state.parameters.view(i).copy_(at::linspace(-2, 3, size).view(shapes[i].shape));
  }
  prepare_state(rule, state);
  return state;
}

// The direction of step t.
svi::Contribution direction_at(std::int64_t step, at::ScalarType type) {
  svi::Contribution direction(shapes, type, {});
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const std::int64_t size = shapes[i].elements();
    const Tensor phase = at::arange(size).to(type) * 0.7 + static_cast<double>(step) + static_cast<double>(i);
    direction.statistics.view(i).copy_((3 * at::sin(phase)).view(shapes[i].shape));
  }
  direction.measure();
  return direction;
}

// One step of θ, its moments and its average, number by number: the formulas of the papers.
class ByHand {
 public:
  ByHand(const OptimizerOptions& options, const Tensor& theta, bool is_weight)
      : options_(options), is_weight_(is_weight) {
    const Tensor flat = theta.flatten().to(at::kDouble);
    theta_.assign(flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel());
    m_.resize(theta_.size());
    v_.resize(theta_.size());
  }

  void step(const Tensor& direction, double norm) {
    const Tensor g = direction.flatten().to(at::kDouble).contiguous();
    const double clip = options_.clip_norm > 0 && norm > options_.clip_norm ? options_.clip_norm / norm : 1;
    t_ += 1;
    for (std::size_t i = 0; i < theta_.size(); ++i) {
      const double x = clip * g.const_data_ptr<double>()[i];
      if (is_weight_) theta_[i] -= options_.learning_rate * options_.weight_decay * theta_[i];
      theta_[i] += options_.learning_rate * (options_.type == "adam" ? adam(i, x) : sgd(i, x));
    }
    history_.push_back(theta_);
  }

  // Σ_s d^(t−s) θ_s / Σ_s d^(t−s), from all θ there were.
  std::vector<double> average() const {
    std::vector<double> sum(theta_.size(), 0.0);
    double weights = 0;
    for (std::size_t s = 0; s < history_.size(); ++s) {
      const double weight = std::pow(options_.average_decay, static_cast<double>(history_.size() - 1 - s));
      weights += weight;
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * history_[s][i];
    }
    for (double& value : sum) value /= weights;
    return sum;
  }

  const std::vector<double>& theta() const { return theta_; }

 private:
  double adam(std::size_t i, double x) {
    m_[i] = 0.9 * m_[i] + 0.1 * x;
    v_[i] = 0.999 * v_[i] + 0.001 * x * x;
    return m_[i] / (1 - std::pow(0.9, t_)) /
           (std::sqrt(v_[i] / (1 - std::pow(0.999, t_))) + options_.epsilon);
  }
  double sgd(std::size_t i, double x) {
    m_[i] = options_.momentum * m_[i] + x;
    return m_[i];
  }

  OptimizerOptions options_;
  bool is_weight_;
  int t_ = 0;
  std::vector<double> theta_, m_, v_;
  std::vector<std::vector<double>> history_;
};

void expect_values(const Tensor& found, const std::vector<double>& expected, double tolerance) {
  const Tensor flat = found.flatten().to(at::kDouble).contiguous();
  ASSERT_EQ(flat.numel(), std::ssize(expected));
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(flat.const_data_ptr<double>()[i], expected[i], tolerance) << i;
}

struct Case {
  const char* name;
  OptimizerOptions options;
};

class Extras : public testing::TestWithParam<Case> {
 protected:
  void follow(at::ScalarType type, double tolerance) const {
    const OptimizerOptions& options = GetParam().options;
    const auto rule = svi::make_update_rule(options, {.total_steps = 100});
    TrainingState state = state_for(*rule, type);
    std::vector<ByHand> expected;
    for (std::size_t i = 0; i < shapes.size(); ++i)
      expected.emplace_back(options, state.parameters.view(i), shapes[i].shape.size() > 1);
    for (; state.step < 9; ++state.step) {
      svi::Contribution direction = direction_at(state.step, type);
      const double norm = std::sqrt(direction.squared_norm);
      for (std::size_t i = 0; i < shapes.size(); ++i) expected[i].step(direction.statistics.view(i), norm);
      rule->update(state, direction);
    }
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      SCOPED_TRACE(shapes[i].name);
      expect_values(state.parameters.view(i), expected[i].theta(), tolerance);
      const svi::ParameterSet& evaluated = evaluated_parameters(state);
      if (options.average_decay == 0) {
        EXPECT_EQ(&evaluated, &state.parameters);
        continue;
      }
      expect_values(evaluated.view(i), expected[i].average(), tolerance);
      EXPECT_FALSE(at::equal(evaluated.view(i), state.parameters.view(i)));
    }
    for (const auto& [name, set] : state.optimizer)  // the padding between the tensors
      EXPECT_EQ(set.flat()[21].item<double>(), 0) << name;
    EXPECT_EQ(state.parameters.flat()[21].item<double>(), 0);
  }
};

TEST_P(Extras, InDouble) { follow(at::kDouble, 1e-12); }
// Nine steps, each with |θ| < 4 rounded and a length of at most 0.05 · 3 right to 1e-5.
TEST_P(Extras, InFloat) { follow(at::kFloat, 9 * (5e-7 + 0.15 * 1e-5)); }

OptimizerOptions with(const char* type, double clip, double decay, double average, double momentum = 0) {
  OptimizerOptions options;
  options.type = type;
  options.learning_rate = 0.05;
  options.clip_norm = clip;
  options.weight_decay = decay;
  options.average_decay = average;
  options.momentum = momentum;
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    Rules, Extras,
    testing::Values(Case{"plain", with("adam", 0, 0, 0)}, Case{"clipped", with("adam", 4, 0, 0)},
                    Case{"decayed", with("adam", 0, 0.3, 0)}, Case{"averaged", with("adam", 0, 0, 0.8)},
                    Case{"all", with("adam", 4, 0.3, 0.8)}, Case{"sgd", with("sgd", 4, 0.3, 0.8)},
                    Case{"momentum", with("sgd", 4, 0.3, 0.8, 0.5)}),
    [](const auto& tested) { return tested.param.name; });

TEST(ClipNorm, LeavesWhatIsShorter) {
  for (const char* type : {"adam", "sgd"}) {
    const auto free = svi::make_update_rule(with(type, 0, 0, 0), {.total_steps = 1});
    const auto loose = svi::make_update_rule(with(type, 1e6, 0, 0), {.total_steps = 1});
    TrainingState a = state_for(*free, at::kDouble);
    TrainingState b = state_for(*loose, at::kDouble);
    svi::Contribution first = direction_at(0, at::kDouble);
    svi::Contribution second = direction_at(0, at::kDouble);
    free->update(a, first);
    loose->update(b, second);
    EXPECT_TRUE(at::equal(a.parameters.flat(), b.parameters.flat())) << type;
  }
}

TEST(Average, BeginsWithTheParameters) {
  const auto rule = svi::make_update_rule(with("adam", 0, 0, 0.999), {.total_steps = 1});
  TrainingState state = state_for(*rule, at::kFloat);
  EXPECT_TRUE(at::equal(evaluated_parameters(state).flat(), state.parameters.flat()));
  svi::Contribution direction = direction_at(0, at::kFloat);
  rule->update(state, direction);  // of one step it is the parameters after it, whatever came before
  EXPECT_TRUE(at::allclose(evaluated_parameters(state).flat(), state.parameters.flat(), 0, 1e-6));
}

class SquaredNorm : public testing::TestWithParam<at::ScalarType> {};

// Of float32 within 17 roundings; squares of float32 that are beyond its range, too.
TEST_P(SquaredNorm, IsThatOfFloat64) {
  const double rounding = GetParam() == at::kFloat ? std::ldexp(17.0, -24) : 1e-14;
  for (const std::int64_t size : {0, 1, 31, 32, 33, 1000, 1023, 1024, 1025, 5000, 70000}) {
    for (const double scale : {1000.0, 1e25, 1e-25}) {
      const Tensor values = (scale * at::arange(size).to(at::kDouble) - 3 * scale).to(GetParam());
      const double by_hand = values.to(at::kDouble).square().sum().item<double>();
      EXPECT_NEAR(svi::squared_norm(values), by_hand, rounding * by_hand) << size << " times " << scale;
    }
  }
}

TEST_P(SquaredNorm, OfWhatIsNotFiniteIsNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    for (const std::int64_t place : {0, 5, 31, 32, 63, 64, 66, 1023, 1024, 1100}) {
      const Tensor values = at::ones({1101}, GetParam());
      EXPECT_EQ(svi::squared_norm(values), 1101);
      values[place] = bad;
      EXPECT_FALSE(std::isfinite(svi::squared_norm(values))) << bad << " at " << place;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, SquaredNorm, testing::Values(at::kFloat, at::kDouble));

}  // namespace
