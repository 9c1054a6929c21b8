// What every likelihood must keep; a new one is tested by its name in likelihood_names().
#include "svi/distributions/likelihood.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "distributions/likelihood_cases.hpp"
#include "svi/base/error.hpp"

namespace {

using at::Tensor;
using svi::ParameterSet;
using svi::RowWeights;
using svi::test::uniform;

class EveryLikelihood : public testing::TestWithParam<svi::test::LikelihoodCase> {
 protected:
  std::unique_ptr<svi::Likelihood> likelihood_ = svi::make_likelihood(GetParam().options);

  Tensor features(std::int64_t rows, std::int64_t columns) const {
    return GetParam().features(uniform(1, rows, columns));
  }
  Tensor outputs(std::int64_t rows, std::int64_t columns, double size) const {
    return (uniform(2, rows, likelihood_->width(columns)) - 0.5) * 2 * size;
  }
  // Learned parameters away from their start.
  ParameterSet parameters(std::int64_t columns, at::ScalarType type = at::kDouble) const {
    ParameterSet set(likelihood_->parameter_shapes(columns), type);
    for (const svi::ParameterShape& shape : set.shapes())
      set[shape.name].copy_((uniform(3, 1, shape.elements()) * 2 - 1.3).view(shape.shape));
    return set;
  }
};

double slope(const Tensor& place, const std::function<double()>& value) {
  constexpr double h = 1e-5;
  const double before = place.item<double>();
  place.fill_(before + h);
  const double up = value();
  place.fill_(before - h);
  const double down = value();
  place.fill_(before);
  return (up - down) / (2 * h);
}

// Central differences of h = 1e-5: the next term is h² times a third derivative, values below 1e3 are right
// to 1e-13, hence their differences over 2h to 1e-8.
TEST_P(EveryLikelihood, GradientAgreesWithDifferencesAndValueWithItself) {
  const Tensor x = features(3, 4);
  const Tensor output = outputs(3, 4, 3);
  ParameterSet parameters = this->parameters(4);
  ParameterSet gradients = parameters.zeros_like();
  const Tensor each = at::tensor({0.5, -2.0, 0.0}, at::kDouble);
  const auto value = [&] {
    return 0.7 * (each * likelihood_->log_likelihood(x, output, parameters)).sum().item<double>();
  };
  Tensor gradient = output.clone();
  const double sum =
      likelihood_->log_likelihood_and_gradient(x, gradient, RowWeights(each, 0.7), parameters, gradients);
  EXPECT_NEAR(sum, value(), 1e-12 * std::max(1.0, std::fabs(sum)));
  EXPECT_GT(gradient.abs().max().item<double>(), 0.01);
  for (std::int64_t i = 0; i < output.numel(); ++i)
    EXPECT_NEAR(gradient.view(-1)[i].item<double>(), slope(output.view(-1)[i], value), 5e-8) << i;
  for (const svi::ParameterShape& shape : parameters.shapes()) {
    const Tensor values = parameters[shape.name].view(-1);
    EXPECT_GT(gradients[shape.name].abs().max().item<double>(), 0.01);
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      EXPECT_NEAR(gradients[shape.name].view(-1)[i].item<double>(), slope(values[i], value), 5e-8)
          << shape.name << ' ' << i;
    }
  }
}

TEST_P(EveryLikelihood, AddsToGradientsAndTakesAWeightForEachRow) {
  const Tensor x = features(2, 4);
  const Tensor output = outputs(2, 4, 3);
  const ParameterSet parameters = this->parameters(4);
  ParameterSet twice = parameters.zeros_like();
  ParameterSet whole = parameters.zeros_like();
  Tensor gradient = output.clone();
  const double sum = likelihood_->log_likelihood_and_gradient(x, gradient, 0.5, parameters, whole);
  double parts = 0;
  for (std::int64_t b = 0; b < 2; ++b) {
    Tensor row = output.narrow(0, b, 1).clone();
    parts += likelihood_->log_likelihood_and_gradient(x.narrow(0, b, 1), row, 0.5, parameters, twice);
    EXPECT_LT((row - gradient.narrow(0, b, 1)).abs().max().item<double>(), 1e-12);
  }
  EXPECT_NEAR(parts, sum, 1e-12 * std::fabs(sum));
  if (parameters.shapes().empty()) return;
  EXPECT_LT((twice.flat() - whole.flat()).abs().max().item<double>(), 1e-12);
}

// float32: some hundred terms below 100, each of a dozen operations right to 6e-8, of random signs.
TEST_P(EveryLikelihood, FloatAgreesWithDouble) {
  const Tensor x = features(7, 33);
  const Tensor output = outputs(7, 33, 10);
  ParameterSet parameters = this->parameters(33);
  ParameterSet single_parameters = this->parameters(33, at::kFloat);
  ParameterSet gradients = parameters.zeros_like();
  ParameterSet single_gradients = single_parameters.zeros_like();
  Tensor exact = output.clone();
  Tensor single = output.to(at::kFloat);
  const double value = likelihood_->log_likelihood_and_gradient(x, exact, 1, parameters, gradients);
  const double single_value = likelihood_->log_likelihood_and_gradient(x.to(at::kFloat), single, 1,
                                                                       single_parameters, single_gradients);
  EXPECT_NEAR(single_value, value, 5e-6 * std::fabs(value));
  const double size = std::max(1.0, exact.abs().max().item<double>());
  EXPECT_LT((single.to(at::kDouble) - exact).abs().max().item<double>(), 5e-6 * size);
  if (parameters.shapes().empty()) return;
  const double largest = std::max(1.0, gradients.flat().abs().max().item<double>());
  EXPECT_LT((single_gradients.flat().to(at::kDouble) - gradients.flat()).abs().max().item<double>(),
            1e-5 * largest);
}

// Outputs of ±1e4 in all their combinations, learned parameters too.
TEST_P(EveryLikelihood, SurvivesExtremeOutputs) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    for (const double size : {1e4, 0.0}) {
      const Tensor x = features(16, 6).to(type);
      Tensor output = at::sign(uniform(4, 16, likelihood_->width(6)) - 0.5).to(type) * size;
      ParameterSet parameters(likelihood_->parameter_shapes(6), type);
      ParameterSet gradients = parameters.zeros_like();
      for (const svi::ParameterShape& shape : parameters.shapes())
        parameters[shape.name].copy_(
            (at::sign(uniform(5, 1, shape.elements()) - 0.5) * size).view(shape.shape));
      EXPECT_TRUE(at::isfinite(likelihood_->log_likelihood(x, output, parameters)).all().item<bool>());
      EXPECT_TRUE(at::isfinite(likelihood_->mean(output)).all().item<bool>());
      EXPECT_TRUE(
          std::isfinite(likelihood_->log_likelihood_and_gradient(x, output, 1, parameters, gradients)));
      EXPECT_TRUE(at::isfinite(output).all().item<bool>());
      EXPECT_TRUE(at::isfinite(gradients.flat()).all().item<bool>());
    }
  }
}

TEST_P(EveryLikelihood, TakesItsFeaturesAndNamesTheRowOfOthers) {
  const std::vector<std::int64_t> ids{40, 41, 57};
  Tensor x = features(3, 4);
  EXPECT_NO_THROW(likelihood_->require_fit(x, ids));

  for (const double wrong : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    x[2][1] = wrong;
    try {
      likelihood_->require_fit(x, ids);
      FAIL() << "took " << wrong;
    } catch (const svi::Error& error) {
      EXPECT_EQ(error.code(), svi::ExitCode::bad_data);
      EXPECT_NE(std::string(error.what()).find("row 57, feature 1 is "), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("model.likelihood "), std::string::npos) << error.what();
    }
  }
}

TEST_P(EveryLikelihood, TakesNoRows) {
  ParameterSet parameters = this->parameters(4);
  ParameterSet gradients = parameters.zeros_like();
  Tensor output = at::zeros({0, likelihood_->width(4)}, at::kDouble);
  const Tensor x = at::zeros({0, 4}, at::kDouble);
  EXPECT_EQ(likelihood_->log_likelihood_and_gradient(x, output, 1, parameters, gradients), 0);
}

INSTANTIATE_TEST_SUITE_P(All, EveryLikelihood, testing::ValuesIn(svi::test::every_likelihood()),
                         [](const auto& instance) { return instance.param.name; });

TEST(LikelihoodNames, AreAllKnown) {
  EXPECT_EQ(svi::likelihood_names().size(), 8U);
  EXPECT_THROW(svi::test::make("bernouli"), svi::Error);
}

TEST(Refusals, NameTheValueAndTheWayOut) {
  const auto message = [](const svi::Likelihood& likelihood, double value) {
    try {
      likelihood.require_fit(at::full({1, 2}, value, at::kDouble), std::vector<std::int64_t>{3});
    } catch (const svi::Error& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  using svi::test::make;
  EXPECT_NE(message(*make("bernoulli"), 1.5).find("is 1.5, but model.likelihood bernoulli"),
            std::string::npos);
  EXPECT_NE(message(*make("bernoulli"), -0.5).find("gaussian"), std::string::npos);
  EXPECT_NE(message(*make("continuous_bernoulli"), 1.5).find("is 1.5"), std::string::npos);
  EXPECT_NE(message(*make("categorical"), 5)
                .find("is 5, but model.likelihood categorical needs whole numbers "
                      "from 0 to 4 (model.levels: 5)"),
            std::string::npos);
  EXPECT_EQ(message(*make("categorical"), 4), "taken");
  EXPECT_NE(message(*make("categorical"), 0.5).find("is 0.5"), std::string::npos);
  EXPECT_NE(message(*make("categorical"), -1).find("is -1"), std::string::npos);
  EXPECT_NE(message(*make("discretised_logistic"), 0.5).find("k/255"), std::string::npos);
  EXPECT_EQ(message(*make("discretised_logistic"), 128.0 / 255), "taken");
  for (const char* name : {"poisson", "negative_binomial", "zero_inflated_negative_binomial"}) {
    EXPECT_NE(message(*make(name), -1).find("is -1"), std::string::npos);
    EXPECT_NE(message(*make(name), 1.5).find("is 1.5"), std::string::npos);
    EXPECT_NE(message(*make(name), 1.5).find(name), std::string::npos);
  }
}

}  // namespace
