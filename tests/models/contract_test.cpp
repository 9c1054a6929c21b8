// What every model of the registry must keep; a new model is tested by existing.
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>

#include "models/instance.hpp"
#include "models/lambda.hpp"

namespace svi {
void PrintTo(const ModelEntry& entry, std::ostream* out) { *out << entry.name; }
}  // namespace svi

namespace {

using svi::Contribution;
using svi::Minibatch;
using svi::Tensor;
using svi::test::Instance;
using svi::test::synthetic;

constexpr std::int64_t rows = 24;
constexpr std::int64_t width = 9;

class Contract : public testing::TestWithParam<svi::ModelEntry> {
 protected:
  // float64 where the model takes it: gradients can then be held against differences closely.
  at::ScalarType type() const { return GetParam().needs_counts ? at::kFloat : at::kDouble; }
  Instance instance() const {
    const svi::DataShape shape{.training_rows = rows, .feature_shape = {width}};
    return Instance(GetParam().name, GetParam().small, shape, type());
  }
  Minibatch batch(std::int64_t first, std::int64_t last, std::int64_t step = 0) const {
    return synthetic(GetParam().needs_counts, width, first, last, step);
  }
  std::unique_ptr<svi::UpdateRule> rule() const {
    svi::OptimizerOptions options;
    options.type = GetParam().update_rules.front();
    options.learning_rate = 0.01;
    options.delay = 1;
    return svi::make_update_rule(options, {.total_steps = 1000});
  }
};

// All that a contribution adds up, in one vector.
Tensor sums_of(const Contribution& contribution) {
  if (contribution.lazy_name.empty()) return contribution.statistics.flat();
  return at::cat({contribution.statistics.flat(), contribution.rows.values.flatten()});
}

// The direction of ascent of every parameter: of a lazy matrix λ̂ − λ.
svi::ParameterSet direction_of(const svi::ParameterSet& parameters, const Contribution& total) {
  svi::ParameterSet direction(parameters.shapes(), at::kDouble);
  for (const svi::ParameterShape& shape : parameters.shapes()) {
    const Tensor& into = direction[shape.name];
    if (shape.is_lazy) {
      into.copy_(svi::test::dense(total.rows, into.size(0)) - parameters[shape.name].to(at::kDouble));
    } else {
      into.copy_(total.statistics[shape.name] * total.factor);
    }
  }
  return direction;
}

// All parameters' elements, one after another.
Tensor elements_of(const svi::ParameterSet& parameters) {
  std::vector<Tensor> parts;
  for (std::size_t i = 0; i < parameters.shapes().size(); ++i) parts.push_back(parameters.view(i).flatten());
  return at::cat(parts);
}

void set_elements(const svi::ParameterSet& parameters, const Tensor& elements) {
  std::int64_t first = 0;
  for (std::size_t i = 0; i < parameters.shapes().size(); ++i) {
    const Tensor& into = parameters.view(i);
    into.copy_(elements.narrow(0, first, into.numel()).view(into.sizes()));
    first += into.numel();
  }
}

// Every parameter's data are its values, so that they can be moved.
void fold(svi::ParameterSet& parameters) {
  for (std::size_t i = 0; i < parameters.shapes().size(); ++i) {
    if (parameters.lazy(i) != nullptr) svi::fold(parameters.view(i), *parameters.lazy(i));
  }
}

void expect_near(const Tensor& a, const Tensor& b, double relative) {
  EXPECT_LE((a - b).abs().max().item<double>(), relative * b.abs().max().item<double>());
}

// Rows 0 … 23 on one rank equal 0, 1 … 9, none and 10 … 23 on four: in float32 up to the order of at most 24
// additions, each within 6e-8 of its result.
TEST_P(Contract, ContributionsOfRanksAddUp) {
  Instance model = instance();
  const Contribution whole = model.accumulate(batch(0, rows));
  Contribution sum = model.accumulate(batch(0, 0));
  for (const auto& [first, last] : {std::pair{0, 1}, {1, 10}, {10, 24}}) {
    const Contribution part = model.accumulate(batch(first, last));
    sum.statistics.flat().add_(part.statistics.flat());
    if (sum.rows.size() > 0) sum.rows.values.add_(part.rows.values);
    for (std::size_t i = 0; i < sum.terms.flat().size(); ++i) sum.terms.flat()[i] += part.terms.flat()[i];
  }
  EXPECT_EQ(whole.terms.scalar("rows"), rows);
  EXPECT_GT(sums_of(whole).abs().max().item<double>(), 0);
  expect_near(sums_of(sum), sums_of(whole), 24 * 6e-8);
  for (std::size_t i = 0; i < sum.terms.flat().size(); ++i) {
    EXPECT_NEAR(sum.terms.flat()[i], whole.terms.flat()[i], 1e-6 * std::fabs(whole.terms.flat()[i]));
  }
}

TEST_P(Contract, AnEmptyShardAddsNothingAndAnnouncesTheSameRanges) {
  Instance model = instance();
  using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;
  const auto announced = [&](const Minibatch& minibatch) {
    Ranges ranges;
    Contribution contribution = model.accumulate(batch(0, 0));
    contribution.on_ready = [&](std::int64_t first, std::int64_t last) { ranges.emplace_back(first, last); };
    model.model->accumulate(model.state.parameters, minibatch, {model.noise, model.state.previous_means},
                            contribution);
    if (minibatch.size() == 0) {
      EXPECT_EQ(sums_of(contribution).abs().sum().item<double>(), 0);
      for (const double term : contribution.terms.flat()) EXPECT_EQ(term, 0);
    }
    return ranges;
  };
  EXPECT_EQ(announced(batch(0, 0)), announced(batch(0, rows)));
}

// Directional derivatives of the ELBO by central differences against ⟨G·direction, v⟩.
TEST_P(Contract, DirectionTimesMetricIsTheGradient) {
  Instance model = instance();
  const Minibatch all = batch(0, rows);
  const auto update = rule();
  for (int i = 0; i < 3; ++i) model.step(*update, all);  // away from the special start
  fold(model.state.parameters);
  Contribution total = model.accumulate(all);
  model.model->to_direction(model.state.parameters, total);
  svi::ParameterSet ascent = direction_of(model.state.parameters, total);
  model.model->apply_metric(model.state.parameters, ascent);

  const bool is_single = type() == at::kFloat;
  const double h = is_single ? 3e-3 : 1e-5;
  const Tensor theta = elements_of(model.state.parameters);
  for (std::uint64_t trial = 0; trial < 5; ++trial) {
    Tensor direction = at::empty({theta.numel()}, at::kDouble);
    svi::Philox(trial).fill_normal(
        std::span(direction.data_ptr<double>(), static_cast<std::size_t>(theta.numel())),
        svi::Purpose::test_data, 0, 0);
    // Relative to the parameter where it must stay positive.
    const Tensor v = (is_single ? direction * theta : direction).to(theta.scalar_type());
    const auto at_offset = [&](double t) {
      set_elements(model.state.parameters, theta + t * v);
      fold(model.state.parameters);  // for the sums
      return model.elbo(all);
    };
    const double difference = (at_offset(h) - at_offset(-h)) / (2 * h);
    set_elements(model.state.parameters, theta);
    fold(model.state.parameters);
    const double expected = (elements_of(ascent) * v.to(at::kDouble)).sum().item<double>();
    const double scale = (elements_of(ascent) * v.to(at::kDouble)).abs().sum().item<double>();
    // float32: the ELBO is known to 1e-6 of itself, hence the difference to 1e-6·|ELBO|/h; double: h² terms.
    const double tolerance = is_single ? 1e-6 * std::fabs(model.elbo(all)) / h : 1e-6 * scale;
    EXPECT_NEAR(difference, expected, tolerance) << "trial " << trial;
    EXPECT_GT(scale, 10 * tolerance) << "the test would pass on zeros";
  }
}

TEST_P(Contract, StoppingAndGoingOnChangesNothing) {
  const auto update = rule();
  Instance whole = instance();
  for (std::int64_t t = 0; t < 6; ++t) whole.step(*update, batch(4 * t, 4 * t + 4, t));
  Instance first = instance();
  for (std::int64_t t = 0; t < 3; ++t) first.step(*update, batch(4 * t, 4 * t + 4, t));
  Instance second = instance();  // another object, with nothing but the training state
  second.state.step = first.state.step;
  const auto copy = [](const svi::ParameterSet& from) {
    svi::ParameterSet to = from.zeros_like();
    set_elements(to, elements_of(from));
    for (std::size_t i = 0; i < from.shapes().size(); ++i) {
      if (from.lazy(i) != nullptr) *to.lazy(i) = *from.lazy(i);
    }
    return to;
  };
  second.state.parameters = copy(first.state.parameters);
  for (const auto& [name, tensors] : first.state.optimizer) second.state.optimizer[name] = copy(tensors);
  for (std::int64_t t = 3; t < 6; ++t) second.step(*update, batch(4 * t, 4 * t + 4, t));
  EXPECT_TRUE(at::equal(elements_of(second.state.parameters), elements_of(whole.state.parameters)));
  EXPECT_FALSE(at::equal(elements_of(first.state.parameters), elements_of(whole.state.parameters)));
}

TEST_P(Contract, TrainingRaisesTheElbo) {
  Instance model = instance();
  const Minibatch all = batch(0, rows);
  const auto update = rule();
  const double before = model.elbo(all);
  for (int t = 0; t < 200; ++t) model.step(*update, all);
  EXPECT_GT(model.elbo(all), before + 0.01 * std::fabs(before));
}

TEST_P(Contract, EvaluationsOfPartsAddUpToTheWhole) {
  Instance model = instance();
  for (const auto kind : {svi::EvaluationRows::held_out, svi::EvaluationRows::training}) {
    const auto evaluation = model.model->evaluation(model.state.parameters, kind, 1);
    if (!evaluation) continue;
    svi::Sums whole(evaluation->layout());
    svi::Sums parts(evaluation->layout());
    evaluation->add(batch(0, rows), whole);
    for (const auto& [first, last] : {std::pair{0, 5}, {5, 5}, {5, 24}})
      evaluation->add(batch(first, last), parts);
    for (std::size_t i = 0; i < whole.flat().size(); ++i) {
      EXPECT_NEAR(parts.flat()[i], whole.flat()[i], 1e-6 * std::max(1.0, std::fabs(whole.flat()[i])));
    }
    if (kind == svi::EvaluationRows::held_out) {
      EXPECT_TRUE(evaluation->finish(whole).values.contains(model.model->selection_metric()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, Contract, testing::ValuesIn(svi::models()),
                         [](const auto& instance) { return instance.param.name; });

TEST(Registry, KnowsBothFamilies) {
  EXPECT_TRUE(svi::find_model("lda").needs_counts);
  EXPECT_FALSE(svi::find_model("vae").needs_counts);
}

}  // namespace
