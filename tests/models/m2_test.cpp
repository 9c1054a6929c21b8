// M2 against an enumeration of the labels that shares no code with it, and its gradients against differences.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "models/differences.hpp"
#include "models/instance.hpp"
#include "svi/models/label_model.hpp"

namespace {

using svi::Contribution;
using svi::DenseRows;
using svi::Minibatch;
using svi::ParameterSet;
using svi::Tensor;
using svi::test::Instance;
using svi::test::synthetic;

using Vector = std::vector<double>;

constexpr std::int64_t width = 9;
constexpr std::int64_t classes = 3;
constexpr std::int64_t latent = 2;

Instance instance(std::vector<std::string> more = {}) {
  std::vector<std::string> settings = svi::find_model("m2").small;
  settings.insert(settings.end(), more.begin(), more.end());
  const svi::DataShape shape{.training_rows = 240, .feature_shape = {width}, .labelled_rows = 60};
  Instance made("m2", settings, shape, at::kDouble);
  for (std::size_t i = 0; i < made.state.parameters.shapes().size(); ++i) {  // away from the special start
    Tensor values = at::empty(made.state.parameters.view(i).sizes(), at::kDouble);
    svi::Philox(5).fill_normal(std::span(values.data_ptr<double>(), static_cast<std::size_t>(values.numel())),
                               svi::Purpose::test_data, 0, i);
    made.state.parameters.view(i).copy_(0.5 * values);
  }
  return made;
}

// Rows with labels where `labels` has one, else −1.
Minibatch rows_with(const std::vector<std::int64_t>& labels, std::int64_t first = 0) {
  const auto count = std::ssize(labels);
  Minibatch rows = synthetic(false, width, first, first + count, 3);
  Tensor tensor = at::empty({count}, at::kLong);
  std::ranges::copy(labels, tensor.mutable_data_ptr<std::int64_t>());
  std::get<DenseRows>(rows.rows).labels = tensor;
  return rows;
}

const std::vector<std::int64_t> mixed{-1, 2, 0, -1, -1, 1, 0, -1};

// --- The model again, number by number.

Vector affine(const ParameterSet& parameters, const std::string& name, const Vector& input) {
  const Tensor& weight = parameters[name + "/weight"];
  const Tensor& bias = parameters[name + "/bias"];
  Vector output;
  for (std::int64_t i = 0; i < weight.size(0); ++i) {
    double sum = bias[i].item<double>();
    for (std::size_t j = 0; j < input.size(); ++j)
      sum += weight[i][static_cast<std::int64_t>(j)].item<double>() * input[j];
    output.push_back(sum);
  }
  return output;
}

Vector each(Vector values, double (*function)(double)) {
  for (double& value : values) value = function(value);
  return values;
}

Vector joined(Vector values, std::int64_t label) {
  for (std::int64_t c = 0; c < classes; ++c) values.push_back(c == label ? 1 : 0);
  return values;
}

struct Bound {
  double reconstruction;
  double kl;
  double value() const { return reconstruction - kl - std::log(static_cast<double>(classes)); }
};

Bound bound_of(const ParameterSet& parameters, const Vector& x, std::int64_t label, std::int64_t id) {
  const auto rectified = [](double value) { return value > 0 ? value : 0; };
  const Vector features = each(affine(parameters, "encoder.0", x), rectified);
  const Vector posterior = affine(parameters, "posterior.0", joined(features, label));
  Vector noise(classes * latent);
  svi::Philox(7).fill_normal(std::span(noise), svi::Purpose::latent, 3, static_cast<std::uint64_t>(id));
  Bound bound{};
  Vector z;
  for (std::size_t k = 0; k < latent; ++k) {
    const double mean = posterior[k];
    const double log_variance = posterior[latent + k];
    z.push_back(mean + std::exp(log_variance / 2) * noise[static_cast<std::size_t>(label) * latent + k]);
    bound.kl += (mean * mean + std::exp(log_variance) - 1 - log_variance) / 2;
  }
  const auto tangent = [](double value) { return std::tanh(value); };
  const Vector hidden = each(affine(parameters, "decoder.0", joined(z, label)), tangent);
  const Vector logits = affine(parameters, "decoder.1", hidden);
  for (std::size_t d = 0; d < x.size(); ++d) {
    const double one = 1 / (1 + std::exp(-logits[d]));
    bound.reconstruction += x[d] * std::log(one) + (1 - x[d]) * std::log1p(-one);
  }
  return bound;
}

Vector class_probabilities(const ParameterSet& parameters, const Vector& x) {
  const auto tangent = [](double value) { return std::tanh(value); };
  Vector logits = affine(parameters, "classifier.1", each(affine(parameters, "classifier.0", x), tangent));
  double total = 0;
  for (double& logit : logits) total += logit = std::exp(logit);
  for (double& logit : logits) logit /= total;
  return logits;
}

struct Sums {
  double elbo = 0;
  double objective = 0;
  double reconstruction = 0;
  double kl = 0;
};

// @param of_label what ln q(y|x) of a labelled row counts
Sums enumerated(const ParameterSet& parameters, const Minibatch& rows, double of_label, double kl_weight) {
  const auto& dense = std::get<DenseRows>(rows.rows);
  Sums sums;
  for (std::int64_t b = 0; b < rows.size(); ++b) {
    Vector x;
    for (std::int64_t d = 0; d < width; ++d) x.push_back(dense.features[b][d].item<double>());
    const std::int64_t label = dense.labels[b].item<std::int64_t>();
    const Vector q = class_probabilities(parameters, x);
    for (std::int64_t y = 0; y < classes; ++y) {
      if (label >= 0 && y != label) continue;
      const Bound bound = bound_of(parameters, x, y, rows.ids[static_cast<std::size_t>(b)]);
      const double share = label < 0 ? q[static_cast<std::size_t>(y)] : 1;
      const double surprise = label < 0 ? -std::log(q[static_cast<std::size_t>(y)]) : 0;
      sums.reconstruction += share * bound.reconstruction;
      sums.kl += share * bound.kl;
      sums.elbo += share * (bound.value() + surprise);
      sums.objective += share * (bound.value() + (1 - kl_weight) * bound.kl + surprise);
    }
    if (label >= 0) sums.objective += of_label * std::log(q[static_cast<std::size_t>(label)]);
  }
  return sums;
}

TEST(M2, TheSumOverLabelsIsThatOfAllOfThem) {
  Instance model = instance({"objective.alpha=0.7", "objective.kl_weight=1.5"});
  const Minibatch rows = rows_with(mixed);
  const Contribution found = model.accumulate(rows);
  const Sums expected = enumerated(model.state.parameters, rows, 0.7 * 240 / 60, 1.5);
  EXPECT_EQ(found.terms.scalar("rows"), 8);
  EXPECT_EQ(found.terms.scalar("weight"), 8);
  EXPECT_NEAR(found.terms.scalar("bound"), expected.elbo, 1e-12 * std::fabs(expected.elbo));
  EXPECT_NEAR(found.terms.scalar("objective"), expected.objective, 1e-12 * std::fabs(expected.objective));
  EXPECT_NEAR(found.terms.scalar("reconstruction"), expected.reconstruction, 1e-11);
  EXPECT_NEAR(found.terms.scalar("kl"), expected.kl, 1e-11);
}

class M2Gradients : public testing::TestWithParam<std::vector<std::int64_t>> {};
INSTANTIATE_TEST_SUITE_P(Labels, M2Gradients,
                         testing::Values(mixed, std::vector<std::int64_t>{-1, -1, -1},
                                         std::vector<std::int64_t>{0, 2, 1}));

TEST_P(M2Gradients, AreThoseOfTheObjective) {
  Instance model = instance({"objective.alpha=0.7", "objective.kl_weight=1.5"});
  svi::test::expect_gradient_of(model, "objective", rows_with(GetParam()));
}

// The Gaussian's learned variance is a parameter beside the networks; here with other layers.
TEST(M2, GradientsOfDeeperNetworksAndALearnedVariance) {
  Instance model = instance({"posterior=[3]", "encoder=[4,5]", "likelihood=gaussian", "variance=learned"});
  svi::test::expect_gradient_of(model, "objective", rows_with(mixed));
}

Vector row_of(const Minibatch& rows, std::int64_t row, double divisor = 1) {
  Vector x;
  for (std::int64_t d = 0; d < width; ++d)
    x.push_back(std::get<DenseRows>(rows.rows).features[row][d].item<double>() / divisor);
  return x;
}

// Of levels 0 to 3 the classifier sees a third, as the encoder does, in training and in use.
TEST(M2, TheClassifierSeesLevelsAsTheEncoderDoes) {
  Instance model = instance({"likelihood=categorical", "levels=4"});
  const auto levels = [](const std::vector<std::int64_t>& labels) {
    Minibatch rows = rows_with(labels);
    Tensor& features = std::get<DenseRows>(rows.rows).features;
    features = at::floor(4 * features);
    return rows;
  };
  const Minibatch rows = levels({2, 0, 1, 0});
  auto* of_labels = dynamic_cast<svi::LabelModel*>(model.model.get());
  ASSERT_NE(of_labels, nullptr);
  const Tensor q = of_labels->class_probabilities(model.state.parameters, rows, svi::Philox(7));
  double log_labels = 0;
  for (std::int64_t b = 0; b < rows.size(); ++b) {
    const Vector by_hand = class_probabilities(model.state.parameters, row_of(rows, b, 3));
    for (std::int64_t c = 0; c < classes; ++c)
      EXPECT_NEAR(q[b][c].item<double>(), by_hand[static_cast<std::size_t>(c)], 1e-12);
    const auto label = std::get<DenseRows>(rows.rows).labels[b].item<std::int64_t>();
    log_labels += std::log(by_hand[static_cast<std::size_t>(label)]);
  }
  const Contribution found = model.accumulate(rows);  // its bound has no ln q(y|x), as every row has a label
  EXPECT_NEAR(found.terms.scalar("objective") - found.terms.scalar("bound"), 0.1 * 240 / 60 * log_labels,
              1e-10);
  svi::test::expect_gradient_of(model, "objective", levels(mixed));
}

// A weight is a number of copies: what rows add up is linear in their weights.
TEST(M2, WeightsMultiplyWhatRowsAdd) {
  Instance model = instance();
  Minibatch rows = rows_with(mixed);
  rows.weights = {3.5, 2, 0.25, 1, 7, 1.5, 4, 0.75};
  const Contribution whole = model.accumulate(rows);
  Tensor sum = at::zeros_like(whole.statistics.flat());
  double bound = 0;
  double weight = 0;
  for (std::size_t b = 0; b < mixed.size(); ++b) {
    const Contribution one = model.accumulate(rows_with({mixed[b]}, static_cast<std::int64_t>(b)));
    sum.add_(one.statistics.flat(), rows.weights[b]);
    bound += rows.weights[b] * one.terms.scalar("bound");
    weight += rows.weights[b];
  }
  const double scale = sum.abs().max().item<double>();
  EXPECT_LE((sum - whole.statistics.flat()).abs().max().item<double>(), 1e-12 * scale);
  EXPECT_NEAR(whole.terms.scalar("bound"), bound, 1e-12 * std::fabs(bound));
  EXPECT_NEAR(whole.terms.scalar("weight"), weight, 1e-12);
  EXPECT_EQ(whole.terms.scalar("rows"), 8);
}

// The factor is 1 over the weights' sum, and nowhere else: weights ten times as large change no direction.
TEST(M2, TheDirectionIsOfAMean) {
  Instance model = instance();
  Minibatch rows = rows_with(mixed);
  Contribution plain = model.accumulate(rows);
  rows.weights.assign(mixed.size(), 10);
  Contribution heavy = model.accumulate(rows);
  EXPECT_GT((heavy.statistics.flat() - plain.statistics.flat()).abs().max().item<double>(), 0.1);
  model.model->to_direction(model.state.parameters, plain);
  model.model->to_direction(model.state.parameters, heavy);
  const Tensor difference = heavy.factor * heavy.statistics.flat() - plain.factor * plain.statistics.flat();
  EXPECT_LE(difference.abs().max().item<double>(), 1e-12);
}

// Rows without one kind, or without any, add up to the same, and announce the same ranges.
TEST(M2, PartsWithoutAStratumAddUp) {
  Instance model = instance();
  std::vector<std::pair<std::int64_t, std::int64_t>> first;
  const auto added = [&](const std::vector<std::int64_t>& labels, std::int64_t at_row) {
    Contribution contribution = model.accumulate(rows_with({}));
    std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
    contribution.on_ready = [&](std::int64_t a, std::int64_t b) { ranges.emplace_back(a, b); };
    model.model->accumulate(model.state.parameters, rows_with(labels, at_row),
                            {model.noise, model.state.previous_means}, contribution);
    if (first.empty()) first = ranges;
    EXPECT_EQ(ranges, first);
    return contribution;
  };
  const Contribution whole = added(mixed, 0);
  const Contribution parts[] = {added({-1}, 0), added({2, 0}, 1), added({}, 3), added({-1, -1, 1, 0, -1}, 3)};
  Tensor sum = at::zeros_like(whole.statistics.flat());
  for (const Contribution& part : parts) sum.add_(part.statistics.flat());
  EXPECT_LE((sum - whole.statistics.flat()).abs().max().item<double>(),
            1e-12 * sum.abs().max().item<double>());
  double bound = 0;
  for (const Contribution& part : parts) bound += part.terms.scalar("objective");
  EXPECT_NEAR(bound, whole.terms.scalar("objective"), 1e-12 * std::fabs(bound));
}

// Until the warm-up is over, rows without labels move everything but the classifier.
TEST(M2, TheClassifierIsTaughtByLabelsAloneDuringItsWarmUp) {
  const svi::DataShape shape{.training_rows = 240,
                             .feature_shape = {width},
                             .steps_per_epoch = 4,
                             .total_steps = 20,
                             .labelled_rows = 60};
  std::vector<std::string> settings = svi::find_model("m2").small;
  settings.emplace_back("objective.warmup_epochs=2");
  Instance model("m2", settings, shape, at::kDouble);
  const auto classifier = [&](const std::vector<std::int64_t>& labels, std::int64_t step) {
    Minibatch rows = rows_with(labels);
    rows.step = step;
    return model.accumulate(rows).statistics["classifier.0/weight"].abs().sum().item<double>();
  };
  EXPECT_EQ(classifier({-1, -1}, 7), 0);
  EXPECT_GT(classifier({-1, -1}, 8), 0);
  EXPECT_GT(classifier({1, 1}, 0), 0);
}

// Held-out rows: the bound is that of rows without labels, whatever labels they have; those tell the error.
TEST(M2, EvaluationsHoldTheClassifierAgainstTheLabelsThereAre) {
  Instance model = instance();
  const Minibatch rows = rows_with(mixed);
  const Minibatch hidden = rows_with(std::vector<std::int64_t>(mixed.size(), -1));
  const auto evaluation =
      model.model->evaluation(model.state.parameters, svi::EvaluationRows::held_out, /*seed=*/7);
  svi::Sums sums(evaluation->layout());
  evaluation->add(rows, sums);
  const svi::Metrics metrics = evaluation->finish(sums);
  const Sums expected = enumerated(model.state.parameters, hidden, 0, 1);
  EXPECT_NEAR(metrics.values.at("elbo"), expected.elbo / 8, 1e-12 * std::fabs(expected.elbo));
  EXPECT_NEAR(metrics.values.at("kl"), expected.kl / 8, 1e-12);

  auto* labels = dynamic_cast<svi::LabelModel*>(model.model.get());
  ASSERT_NE(labels, nullptr);
  const Tensor q = labels->class_probabilities(model.state.parameters, rows, svi::Philox(7));
  double right = 0;
  for (std::int64_t b = 0; b < rows.size(); ++b) {
    const Vector by_hand = class_probabilities(model.state.parameters, row_of(rows, b));
    for (std::int64_t c = 0; c < classes; ++c)
      EXPECT_NEAR(q[b][c].item<double>(), by_hand[static_cast<std::size_t>(c)], 1e-12);
    const auto best = std::ranges::max_element(by_hand) - by_hand.begin();
    right += best == mixed[static_cast<std::size_t>(b)];
  }
  EXPECT_DOUBLE_EQ(metrics.values.at("accuracy"), right / 4);
  EXPECT_DOUBLE_EQ(metrics.values.at("error"), 1 - right / 4);
}

TEST(M2, WarnsOfClassesWithoutALabel) {
  const auto warnings = [](std::int64_t seen) {
    return svi::test::make_model("m2", svi::find_model("m2").small,
                                 {.training_rows = 240, .feature_shape = {width}, .labelled_classes = seen})
        ->warnings();
  };
  EXPECT_TRUE(warnings(classes).empty());
  EXPECT_TRUE(warnings(0).empty());  // of a trained model
  ASSERT_EQ(warnings(2).size(), 1U);
  EXPECT_NE(warnings(2)[0].find("model.classes is 3, but the training labels are of 2"), std::string::npos);
}

TEST(M2, LabelsOutsideTheClassesAreRefused) {
  Instance model = instance();
  for (const std::int64_t wrong : {3, -2}) {
    Minibatch rows = rows_with({0, -1, wrong});
    try {
      model.model->require_fit(rows);
      ADD_FAILURE() << wrong;
    } catch (const svi::Error& error) {
      EXPECT_EQ(error.code(), svi::ExitCode::bad_data);
      EXPECT_NE(std::string(error.what()).find("row 2 has the label " + std::to_string(wrong)),
                std::string::npos)
          << error.what();
    }
  }
}

}  // namespace
