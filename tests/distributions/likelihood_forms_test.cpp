// Each likelihood against its definition: written out a second time, summed up, or integrated.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "distributions/likelihood_cases.hpp"

namespace {

using at::Tensor;
using svi::ParameterSet;
using svi::test::make;
using svi::test::uniform;

double value(const svi::Likelihood& likelihood, const Tensor& x, const Tensor& output) {
  return likelihood.log_likelihood(x, output, {}).sum().item<double>();
}

Tensor row(std::initializer_list<double> values) {
  return at::tensor(std::vector<double>(values), at::kDouble).unsqueeze(0);
}

TEST(Bernoulli, IsTheLogProbabilityOfBits) {
  const double expected = std::log(1 / (1 + std::exp(-0.4))) + std::log(1 - 1 / (1 + std::exp(1.2)));
  EXPECT_NEAR(value(*make("bernoulli"), row({1.0, 0.0}), row({0.4, -1.2})), expected, 1e-14);
}

TEST(Bernoulli, IsExactAtExtremeLogits) {
  const Tensor x = at::tensor({1.0F, 0.0F, 1.0F, 0.0F}).view({1, 4});
  Tensor logits = at::tensor({1e4F, -1e4F, -1e4F, 1e4F}).view({1, 4});
  ParameterSet none;
  // Each term is 0 or −1e4 up to exp(−87), which float32 rounds away.
  EXPECT_EQ(make("bernoulli")->log_likelihood_and_gradient(x, logits, 1, none, none), -2e4);
  EXPECT_EQ(logits.view(-1)[2].item<double>(), 1);
  EXPECT_EQ(logits.view(-1)[3].item<double>(), -1);
}

// ∫₀¹ f by the trapezoid rule with 20,000 cells: right to f''/12 · 2.5e-9.
double integral(const std::function<Tensor(const Tensor&)>& f) {
  constexpr std::int64_t cells = 20000;
  const Tensor values = f(at::linspace(0, 1, cells + 1, at::kDouble).unsqueeze(1)).flatten();
  return (values.sum().item<double>() - 0.5 * (values[0] + values[cells]).item<double>()) / cells;
}

// Also where λ = 1/(1 + e^−l) is near ½, on both sides of where the series takes over.
TEST(ContinuousBernoulli, IntegratesToOneWithTheMeanItTells) {
  const auto likelihood = make("continuous_bernoulli");
  for (const double logit : {-30.0, -3.0, -0.1001, -0.0999, -1e-6, 0.0, 1e-9, 0.05, 0.1, 2.0, 40.0}) {
    const auto density = [&](const Tensor& x) {
      return at::exp(likelihood->log_likelihood(x, at::full_like(x, logit), {})).unsqueeze(1);
    };
    EXPECT_NEAR(integral(density), 1, 1e-5) << logit;
    EXPECT_NEAR(integral([&](const Tensor& x) { return x * density(x); }),
                likelihood->mean(row({logit})).item<double>(), 1e-5)
        << logit;
  }
}

// Loaiza-Ganem and Cunningham's form: C(λ) λ^x (1 − λ)^(1−x), C = 2 artanh(1 − 2λ)/(1 − 2λ).
TEST(ContinuousBernoulli, IsThePapersForm) {
  for (const double probability : {0.1, 0.4, 0.49, 0.6, 0.999}) {
    const double t = 1 - 2 * probability;
    const double expected =
        std::log(2 * std::atanh(t) / t) + 0.3 * std::log(probability) + 0.7 * std::log(1 - probability);
    const double logit = std::log(probability / (1 - probability));
    EXPECT_NEAR(value(*make("continuous_bernoulli"), row({0.3}), row({logit})), expected, 1e-12);
  }
  EXPECT_NEAR(value(*make("continuous_bernoulli"), row({0.3}), row({0.0})), 0, 1e-15);
}

double log_normal(double x, double mean, double variance) {
  return -0.5 * std::log(2 * std::numbers::pi * variance) - (x - mean) * (x - mean) / (2 * variance);
}

TEST(Gaussian, IsTheDensityWithEachKindOfVariance) {
  const Tensor x = row({1.3, -0.4});
  const Tensor mean = row({1.0, 0.5});
  EXPECT_NEAR(value(*make("gaussian"), x, mean), log_normal(1.3, 1.0, 0.37) + log_normal(-0.4, 0.5, 0.37),
              1e-14);
  const auto with = [&](const char* word, const std::vector<double>& raw) {
    const auto likelihood = make("gaussian", {.word = word});
    ParameterSet parameters(likelihood->parameter_shapes(2), at::kDouble);
    const Tensor values = at::tensor(raw, at::kDouble);
    Tensor output = mean;
    if (parameters.shapes().empty()) {
      output = at::cat({mean, values.unsqueeze(0)}, 1);
    } else {
      parameters["likelihood/log_variance"].copy_(values);
    }
    return likelihood->log_likelihood(x, output, parameters).item<double>();
  };
  const double one = std::exp(0.3) + 1e-6;
  const double other = std::exp(-2.0) + 1e-6;
  const double expected = log_normal(1.3, 1.0, one) + log_normal(-0.4, 0.5, other);
  EXPECT_NEAR(with("learned", {0.3}), log_normal(1.3, 1.0, one) + log_normal(-0.4, 0.5, one), 1e-13);
  EXPECT_NEAR(with("learned_per_feature", {0.3, -2.0}), expected, 1e-13);
  EXPECT_NEAR(with("decoded", {0.3, -2.0}), expected, 1e-13);
}

TEST(Categorical, SumsToOneWithTheMeanItTells) {
  const auto likelihood = make("categorical");
  const Tensor logits = row({0.3, -2.0, 1.5, 0.0, 5.0});
  double sum = 0;
  double mean = 0;
  for (int c = 0; c < 5; ++c) {
    const double p = std::exp(value(*likelihood, row({static_cast<double>(c)}), logits));
    sum += p;
    mean += c * p;
    EXPECT_NEAR(p, std::exp(logits[0][c].item<double>()) / at::exp(logits).sum().item<double>(), 1e-14);
  }
  EXPECT_NEAR(sum, 1, 1e-14);
  EXPECT_NEAR(likelihood->mean(logits).item<double>(), mean, 1e-13);
  EXPECT_EQ(likelihood->white(), 4);
}

TEST(DiscretisedLogistic, SumsToOneOverTheLevelsAndIsTheirMass) {
  const auto likelihood = make("discretised_logistic");
  const Tensor x = at::arange(256, at::kDouble).unsqueeze(1) / 255;
  for (const double mean : {-0.2, 0.0, 0.31, 1.0}) {
    for (const double raw : {-20.0, -4.0, 0.0, 3.0}) {
      const Tensor output = row({mean, raw}).expand({256, 2}).contiguous();
      const Tensor p = at::exp(likelihood->log_likelihood(x, output, {}));
      EXPECT_NEAR(p.sum().item<double>(), 1, 1e-12) << mean << ' ' << raw;
      const double scale = std::exp(raw) + std::exp(-7.0);
      const auto below = [&](double edge) { return 1 / (1 + std::exp(-(edge - mean) / scale)); };
      EXPECT_NEAR(p[80].item<double>(), below(80.5 / 255) - below(79.5 / 255), 1e-13);
      EXPECT_NEAR(p[0].item<double>(), below(0.5 / 255), 1e-13);
      EXPECT_NEAR(p[255].item<double>(), 1 - below(254.5 / 255), 1e-13);
    }
  }
}

TEST(Poisson, SumsToOneWithItsMeanAndVariance) {
  const auto likelihood = make("poisson");
  const Tensor x = at::arange(200, at::kDouble).unsqueeze(1);
  for (const double log_rate : {-3.0, 0.0, 3.5}) {
    const Tensor p = at::exp(likelihood->log_likelihood(x, at::full_like(x, log_rate), {}));
    const Tensor counts = x.flatten();
    const double mean = (p * counts).sum().item<double>();
    EXPECT_NEAR(p.sum().item<double>(), 1, 1e-12);
    EXPECT_NEAR(mean, std::exp(log_rate), 1e-10);
    EXPECT_NEAR((p * counts * counts).sum().item<double>() - mean * mean, mean, 1e-8);
    EXPECT_NEAR(likelihood->mean(row({log_rate})).item<double>(), mean, 1e-10);
  }
}

// scVI's log_nb_positive and log_zinb_positive (Lopez et al. 2018), from mean μ, inverse dispersion θ and the
// logit of the dropout.
double log_negative_binomial(double x, double mu, double theta) {
  return std::lgamma(x + theta) - std::lgamma(theta) - std::lgamma(x + 1) +
         theta * std::log(theta / (theta + mu)) + x * std::log(mu / (theta + mu));
}

double log_inflated(double x, double mu, double theta, double logit) {
  const double dropout = 1 / (1 + std::exp(-logit));
  const double p = (1 - dropout) * std::exp(log_negative_binomial(x, mu, theta));
  return std::log(x == 0 ? dropout + p : p);
}

TEST(NegativeBinomial, TheFormOfTheTestSumsToOneWithItsMoments) {
  double sum = 0;
  double mean = 0;
  double squares = 0;
  for (int x = 0; x < 2000; ++x) {
    const double p = std::exp(log_negative_binomial(x, 3.0, 0.7));
    sum += p;
    mean += x * p;
    squares += x * x * p;
  }
  EXPECT_NEAR(sum, 1, 1e-10);
  EXPECT_NEAR(mean, 3.0, 1e-8);
  EXPECT_NEAR(squares - mean * mean, 3.0 + 9.0 / 0.7, 1e-6);
}

// Counts on both sides of 16, where Γ takes over from a product; θ from 0.05 to 400.
TEST(NegativeBinomial, IsTheFormWithSharesOfTheRowsTotal) {
  const Tensor x = row({0.0, 3.0, 17.0, 0.0, 16.0, 1000.0});
  const Tensor logits = row({0.4, -1.2, 2.0, -8.0, 1.0, 3.0});
  const Tensor dropout = row({0.4, -1.2, 2.0, -8.0, 1.0, -3.0});
  const Tensor log_theta = at::tensor({-3.0, 0.0, 1.5, 6.0, 2.0, -1.0}, at::kDouble);
  const Tensor share = at::softmax(logits, 1);
  for (const bool is_inflated : {false, true}) {
    const auto likelihood = make(is_inflated ? "zero_inflated_negative_binomial" : "negative_binomial");
    ParameterSet parameters(likelihood->parameter_shapes(6), at::kDouble);
    parameters["likelihood/log_dispersion"].copy_(log_theta);
    double expected = 0;
    for (std::int64_t g = 0; g < 6; ++g) {
      const double count = x[0][g].item<double>();
      const double mu = 1036 * share[0][g].item<double>();
      const double theta = std::exp(log_theta[g].item<double>());
      expected += is_inflated ? log_inflated(count, mu, theta, dropout[0][g].item<double>())
                              : log_negative_binomial(count, mu, theta);
    }
    const Tensor output = is_inflated ? at::cat({logits, dropout}, 1) : logits;
    EXPECT_NEAR(likelihood->log_likelihood(x, output, parameters).item<double>(), expected,
                1e-11 * std::fabs(expected));
    const Tensor kept = is_inflated ? at::sigmoid(-dropout) : at::ones_like(dropout);
    EXPECT_LT((likelihood->mean(output) - share * kept).abs().max().item<double>(), 1e-14);
  }
}

// With θ = e^15 variances exceed means by 3e-7 of their square.
TEST(NegativeBinomial, IsPoissonWithoutDispersion) {
  const auto likelihood = make("negative_binomial");
  ParameterSet parameters(likelihood->parameter_shapes(3), at::kDouble);
  parameters["likelihood/log_dispersion"].fill_(40);
  const Tensor x = row({2.0, 0.0, 5.0});
  const Tensor rates = at::log(7 * at::softmax(row({0.1, -1.0, 1.0}), 1));
  EXPECT_NEAR(likelihood->log_likelihood(x, row({0.1, -1.0, 1.0}), parameters).item<double>(),
              value(*make("poisson"), x, rates), 1e-5);
}

TEST(NegativeBinomial, AnEmptyRowIsCertain) {
  for (const char* name : {"negative_binomial", "zero_inflated_negative_binomial"}) {
    const auto likelihood = make(name);
    ParameterSet parameters(likelihood->parameter_shapes(3), at::kFloat);
    ParameterSet gradients = parameters.zeros_like();
    Tensor output = uniform(1, 2, likelihood->width(3)).to(at::kFloat);
    EXPECT_NEAR(likelihood->log_likelihood_and_gradient(at::zeros({2, 3}), output, 1, parameters, gradients),
                0, 1e-6);
    EXPECT_LT(output.abs().max().item<double>(), 1e-6);
    EXPECT_LT(gradients.flat().abs().max().item<double>(), 1e-6);
  }
}

TEST(Counts, AreSeenByTheirLogarithms) {
  for (const char* name : {"poisson", "negative_binomial", "zero_inflated_negative_binomial"}) {
    const auto likelihood = make(name);
    EXPECT_EQ(likelihood->feature_kind(), svi::FeatureKind::counts);
    EXPECT_NEAR(likelihood->encoder_input(row({6.0})).item<double>(), std::log(7), 1e-15);
  }
}

}  // namespace
