#include "models/lda_collapsed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/instance.hpp"
#include "models/lambda.hpp"
#include "models/synthetic_topics.hpp"
#include "svi/math/special.hpp"

namespace {

using svi::lda::CollapsedFit;
using svi::lda::EStepOptions;
using svi::lda::Kernel;
using svi::lda::stride_of;
using svi::lda::Topics;
using svi::lda::words_at_once;
using svi::test::Instance;
using svi::test::Synthetic;

// A document of all words, λ over three orders of magnitude.
template <typename Real>
struct Case {
  Case(std::int64_t topic_count, std::int64_t word_count, float count_scale, const Kernel<Real>& kernel)
      : topics(topic_count) {
    const svi::Philox noise(5);
    const auto uniform = [&](std::int64_t word, std::int64_t k) {
      return noise.uniform(svi::Purpose::test_data, 0, static_cast<std::uint64_t>(word),
                           static_cast<std::uint64_t>(k));
    };
    std::vector<float> lambda;
    for (std::int64_t w = 0; w < word_count; ++w) {
      words.push_back(static_cast<std::int32_t>(w));
      counts.push_back(static_cast<float>(1 + std::floor(count_scale * uniform(w, 1000000))));
      for (std::int64_t k = 0; k < topics; ++k)
        lambda.push_back(static_cast<float>(0.01 * std::pow(1000, uniform(w, k))));
    }
    const auto type = std::same_as<Real, float> ? at::kFloat : at::kDouble;
    const svi::ParameterSet parameters = svi::test::lambda_parameters(word_count, topics, lambda, type);
    const Topics of_parameters(parameters);
    rows.compute(kernel, svi::lda::RowKind::mean, words, of_parameters);
    for (std::size_t i = 0; i < lambda.size(); ++i)
      beta.push_back(static_cast<double>(lambda[i]) /
                     of_parameters.totals()[i % static_cast<std::size_t>(topics)]);
    log_theta.resize(static_cast<std::size_t>(stride_of(topics)));
  }
  // Of the words of `fit`'s last document.
  double phi(const CollapsedFit<Real>& fit, std::size_t n, std::size_t k) const {
    const auto place = static_cast<std::int64_t>(n) * stride_of(topics) + static_cast<std::int64_t>(k);
    return static_cast<double>(fit.weights()[place]) * static_cast<double>(fit.ratios()[n]) /
           static_cast<double>(counts[n]);
  }

  std::int64_t topics;
  std::vector<std::int32_t> words;
  std::vector<float> counts;
  std::vector<double> beta;  // [words, K]
  svi::lda::TopicRows<Real> rows;
  svi::AlignedBuffer<Real> log_theta;
};

// CVB0 (Asuncion et al. 2009) written out: four words at a time see the counts before them.
struct Reference {
  Reference(const std::vector<double>& beta, const std::vector<float>& counts, double alpha,
            std::size_t topics, std::int64_t iterations)
      : phi(counts.size() * topics, 0.0), gamma(topics, alpha) {
    for (std::int64_t i = 0; i < iterations; ++i) {
      for (std::size_t first = 0; first < counts.size(); first += words_at_once) {
        const std::vector<double> before = gamma;
        for (std::size_t n = first; n < std::min(first + words_at_once, counts.size()); ++n) {
          std::vector<double> z(topics);
          for (std::size_t k = 0; k < topics; ++k)
            z[k] = beta[n * topics + k] * (before[k] - phi[n * topics + k]);
          const double total = std::accumulate(z.begin(), z.end(), 0.0);
          for (std::size_t k = 0; k < topics; ++k) {
            gamma[k] += static_cast<double>(counts[n]) * (z[k] / total - phi[n * topics + k]);
            phi[n * topics + k] = z[k] / total;
          }
        }
      }
    }
  }
  std::vector<double> phi;  // [words, K]
  std::vector<double> gamma;
};

template <typename Real>
void agrees(std::int64_t topics, std::int64_t words, float count_scale, const Kernel<Real>& kernel,
            double rounding) {
  Case<Real> a(topics, words, count_scale, kernel);
  const EStepOptions options{.alpha = 0.1, .tolerance = 1e-30, .max_iterations = 7};
  CollapsedFit<Real> fit(kernel, topics, options);
  fit.fit(a.rows, {a.words, a.counts});
  EXPECT_LE(fit.iterations(), 7);  // fewer where nothing moves any more
  const auto count = static_cast<std::size_t>(topics);
  const Reference reference(a.beta, a.counts, 0.1, count, 7);
  const double tokens = std::accumulate(a.counts.begin(), a.counts.end(), 0.0);
  for (std::size_t k = 0; k < count; ++k)
    ASSERT_NEAR(static_cast<double>(fit.gamma()[k]), reference.gamma[k], rounding * tokens)
        << kernel.name << ", topic " << k;
  for (std::size_t n = 0; n < a.counts.size(); ++n) {
    for (std::size_t k = 0; k < count; ++k)
      ASSERT_NEAR(a.phi(fit, n, k), reference.phi[n * count + k], 100 * rounding)
          << kernel.name << ", word " << n << ", topic " << k;
  }
  double log_likelihood = 0;
  const double total = tokens + 0.1 * static_cast<double>(topics);
  for (std::size_t n = 0; n < a.counts.size(); ++n) {
    double norm = 0;
    for (std::size_t k = 0; k < count; ++k) norm += a.beta[n * count + k] * reference.gamma[k] / total;
    log_likelihood += static_cast<double>(a.counts[n]) * std::log(norm);
  }
  EXPECT_NEAR(fit.log_likelihood(), log_likelihood, 100 * rounding * tokens) << kernel.name;
}

class CollapsedSizes : public testing::TestWithParam<std::tuple<std::int64_t, std::int64_t, float>> {};

// Seven iterations, no more: each carries an error of some roundings of 6e-8 (1e-16) on; near a tie between
// topics a word's φ answers more strongly than γ.
TEST_P(CollapsedSizes, AgreesWithTheReferenceOnEveryInstructionSet) {
  const auto [topics, words, count_scale] = GetParam();
  for (const auto& kernel : svi::lda::kernels<float>()) agrees(topics, words, count_scale, kernel, 2e-6);
  for (const auto& kernel : svi::lda::kernels<double>()) agrees(topics, words, count_scale, kernel, 1e-13);
}
INSTANTIATE_TEST_SUITE_P(TopicsWordsCounts, CollapsedSizes,
                         testing::Combine(testing::Values(1, 2, 15, 16, 17, 100, 130, 1000),
                                          testing::Values(1, 3, 4, 5, 9, 15, 203),
                                          testing::Values(1.F, 9.F, 1e6F)));

TEST(Collapsed, EndsAtAFixedPointWithTheTokenLeftOut) {
  Case<double> a(20, 50, 3, svi::lda::kernels<double>().front());
  CollapsedFit<double> fit(svi::lda::kernels<double>().front(), 20,
                           {.alpha = 0.1, .tolerance = 1e-13, .max_iterations = 100000});
  fit.fit(a.rows, {a.words, a.counts});
  EXPECT_LT(fit.iterations(), 100000);
  for (std::size_t n = 0; n < a.counts.size(); ++n) {
    double total = 0;
    for (std::size_t k = 0; k < 20; ++k) total += a.beta[n * 20 + k] * (fit.gamma()[k] - a.phi(fit, n, k));
    for (std::size_t k = 0; k < 20; ++k)
      EXPECT_NEAR(a.phi(fit, n, k), a.beta[n * 20 + k] * (fit.gamma()[k] - a.phi(fit, n, k)) / total, 1e-9);
  }
}

// One token: n_k is 1 with probability φ_k, else 0, so that the expectation is no approximation.
TEST(Collapsed, ExpectedLogThetaOfOneTokenIsExact) {
  Case<double> a(20, 4, 0, svi::lda::kernels<double>().front());
  CollapsedFit<double> fit(svi::lda::kernels<double>().front(), 20, {.alpha = 0.03});
  fit.fit(a.rows, {std::span(a.words).first(1), std::span(a.counts).first(1)}, a.log_theta.data());
  double smallest = 1;
  for (std::size_t k = 0; k < 20; ++k) {
    const double phi = a.phi(fit, 0, k);
    smallest = std::min(smallest, phi);
    const double expected = (1 - phi) * svi::math::digamma(0.03) + phi * svi::math::digamma(1.03);
    EXPECT_NEAR(a.log_theta.data()[k], expected, 1e-9);
  }
  EXPECT_LT(smallest, 0.01);  // where E[n] in place of n would be far off
}

// Several tokens of the same word and of others: within the approximation of the true expectation, which is
// that of a sum of independent indicators.
TEST(Collapsed, ExpectedLogThetaIsNearTheSumOverAllCounts) {
  Case<double> a(8, 6, 3, svi::lda::kernels<double>().front());
  CollapsedFit<double> fit(svi::lda::kernels<double>().front(), 8, {.alpha = 0.1, .max_iterations = 3});
  fit.fit(a.rows, {a.words, a.counts}, a.log_theta.data());
  for (std::size_t k = 0; k < 8; ++k) {
    std::vector<double> probability{1};  // of n_k = 0, 1, …
    for (std::size_t n = 0; n < 6; ++n) {
      for (int token = 0; token < static_cast<int>(a.counts[n]); ++token) {
        probability.push_back(0);
        for (std::size_t i = probability.size() - 1; i > 0; --i)
          probability[i] = probability[i] * (1 - a.phi(fit, n, k)) + probability[i - 1] * a.phi(fit, n, k);
        probability[0] *= 1 - a.phi(fit, n, k);
      }
    }
    double expected = 0;
    for (std::size_t i = 0; i < probability.size(); ++i)
      expected += probability[i] * svi::math::digamma(0.1 + static_cast<double>(i));
    // Given n_k > 0, ψ is taken at the mean of n_k: at most its bend over the counts, P·Var/2·|ψ''(1.1)| <
    // 0.3.
    EXPECT_NEAR(a.log_theta.data()[k], expected, 0.3 * (1 - probability[0])) << k;
  }
}

TEST(Collapsed, AnEmptyDocumentKeepsThePrior) {
  Case<float> a(3, 4, 1, svi::lda::kernels<float>().front());
  CollapsedFit<float> fit(svi::lda::kernels<float>().front(), 3, {.alphas = {0.1, 0.2, 0.3}});
  fit.fit(a.rows, {{}, {}});
  EXPECT_EQ(std::vector<float>(fit.gamma().begin(), fit.gamma().end()),
            (std::vector<float>{0.1F, 0.2F, 0.3F}));
  EXPECT_EQ(fit.iterations(), 0);
  EXPECT_EQ(fit.log_likelihood(), 0);
}

TEST(Scvb0, StatisticsAddUpToTheTokens) {
  const Synthetic truth;
  const svi::Minibatch all = truth.documents(0, 64);
  Instance lda("lda", {"topics=7", "inference=scvb0"},
               {.training_rows = 64, .feature_shape = {Synthetic::vocabulary}});
  const svi::Contribution total = lda.accumulate(all);
  EXPECT_EQ(total.terms.scalar("tokens"), 64 * 50);
  // float32 sums over 7 topics and 64 documents, and half a dozen operations more, each right to 6e-8.
  EXPECT_NEAR(total.rows.values.sum(at::kDouble).item<double>(), 64 * 50, (7 + 64 + 6) * 6e-8 * 64 * 50);
}

// Statistics are Σ_d c_dw φ_dwk of documents fitted one by one.
TEST(Scvb0, StatisticsAreTheResponsibilitiesAddedUp) {
  const Synthetic truth;
  const svi::Minibatch all = truth.documents(0, 5);
  Instance lda("lda", {"topics=7", "inference=scvb0", "max_iterations=3"},
               {.training_rows = 5, .feature_shape = {Synthetic::vocabulary}}, at::kDouble);
  const at::Tensor found = svi::test::dense(lda.accumulate(all).rows, Synthetic::vocabulary);
  const at::Tensor lambda = svi::test::lambda_of(lda.state.parameters);
  const at::Tensor beta = lambda / lambda.sum(0);
  at::Tensor expected = at::zeros({Synthetic::vocabulary, 7}, at::kDouble);
  const auto& rows = std::get<svi::CountRows>(all.rows);
  for (std::size_t b = 0; b < 5; ++b) {
    std::vector<double> of_words;
    std::vector<float> counts;
    const auto first = static_cast<std::size_t>(rows.starts[b]);
    const auto last = static_cast<std::size_t>(rows.starts[b + 1]);
    for (std::size_t i = first; i < last; ++i) {
      counts.push_back(rows.counts[i]);
      for (std::int64_t k = 0; k < 7; ++k) of_words.push_back(beta[rows.words[i]][k].item<double>());
    }
    const Reference reference(of_words, counts, 0.1, 7, 3);
    for (std::size_t i = first; i < last; ++i) {
      for (std::size_t k = 0; k < 7; ++k)
        expected[rows.words[i]][static_cast<std::int64_t>(k)] +=
            static_cast<double>(rows.counts[i]) * reference.phi[(i - first) * 7 + k];
    }
  }
  EXPECT_LT((found - expected).abs().max().item<double>(), 1e-11);
  EXPECT_GT(expected.max().item<double>(), 0.1);
}

// With topics that share no word every token's topic is certain, and learned α are those of the
// Dirichlet-multinomial distribution (Minka 2000): at its maximum Σ_d ψ(α_k + n_dk) − ψ(α_k) = Σ_d ψ(A + n_d)
// − ψ(A) for each k.
TEST(Scvb0, LearnedAlphaIsThatOfTheDirichletMultinomial) {
  const Synthetic truth;
  svi::Minibatch all = truth.documents(0, 300);
  auto& rows = std::get<svi::CountRows>(all.rows);
  Instance lda("lda", {"topics=5", "inference=scvb0", "alpha=learned"},
               {.training_rows = 300, .feature_shape = {Synthetic::vocabulary}});
  at::Tensor lambda = at::full({Synthetic::vocabulary, 5}, 1e-12);
  for (std::int64_t w = 0; w < Synthetic::vocabulary; ++w) lambda[w][w / 20] = 100;
  svi::test::set_lambda(lda.state.parameters, lambda);
  const auto rule = svi::test::robbins_monro(1, 0);  // the whole data at each step
  for (int t = 0; t < 60; ++t) {
    svi::test::set_lambda(lda.state.parameters, lambda);
    lda.step(*rule, all);
  }
  const at::Tensor alpha = lda.state.parameters["alpha"].to(at::kDouble);
  const double total = alpha.sum().item<double>();
  for (std::int64_t k = 0; k < 5; ++k) {
    double gradient = 0;
    double size = 0;
    for (std::size_t d = 0; d < 300; ++d) {
      double of_topic = 0;
      double of_all = 0;
      for (auto i = static_cast<std::size_t>(rows.starts[d]);
           i < static_cast<std::size_t>(rows.starts[d + 1]); ++i) {
        of_all += static_cast<double>(rows.counts[i]);
        if (rows.words[i] / 20 == k) of_topic += static_cast<double>(rows.counts[i]);
      }
      const double part = svi::math::digamma(alpha[k].item<double>() + of_topic) -
                          svi::math::digamma(alpha[k].item<double>());
      gradient += part - svi::math::digamma(total + of_all) + svi::math::digamma(total);
      size += part;
    }
    EXPECT_NEAR(gradient, 0, 1e-3 * size) << k;
  }
  EXPECT_GT(total, 0.6);  // it began at 0.5
}

TEST(Scvb0, RecoversSyntheticTopics) {
  const Synthetic truth;
  constexpr std::int64_t documents = 10000;
  Instance lda("lda", {"topics=5", "inference=scvb0", "alpha=learned", "eta=0.01", "max_iterations=5"},
               {.training_rows = documents, .feature_shape = {Synthetic::vocabulary}});
  const auto rule = svi::test::robbins_monro(10, 0.5);
  for (std::int64_t first = 0; first < documents; first += 250)
    lda.step(*rule, truth.documents(first, first + 250));
  const at::Tensor found =
      dynamic_cast<const svi::TopicModel*>(lda.model.get())->topics(lda.state.parameters);
  const at::Tensor cosines =
      at::mm(found / found.norm(2, 1, true), (truth.beta / truth.beta.norm(2, 1, true)).t());
  EXPECT_GT(std::get<0>(cosines.max(0)).min().item<double>(), 0.99);
}

}  // namespace
