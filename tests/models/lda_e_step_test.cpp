#include "models/lda_e_step.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/lambda.hpp"
#include "models/lda_reference.hpp"
#include "svi/base/random.hpp"
#include "svi/math/special.hpp"

namespace {

using svi::lda::Document;
using svi::lda::EStepOptions;
using svi::lda::Kernel;
using svi::lda::ReferenceFit;
using svi::lda::Topics;
using EStep = svi::lda::EStep<float>;
using TopicRows = svi::lda::TopicRows<float>;

const Kernel<float>& fastest() { return svi::lda::kernels<float>().front(); }

// A document over its own vocabulary, with λ from a keyed distribution spread over many orders of magnitude.
struct Case {
  Case(std::int64_t topic_count, std::int64_t word_count, double smallest_lambda, std::uint64_t seed,
       const Kernel<float>& of_kernel = fastest(), float count_scale = 1)
      : topics(topic_count), kernel(of_kernel) {
    const svi::Philox noise(seed);
    for (std::int64_t w = 0; w < word_count; ++w) {
      words.push_back(static_cast<std::int32_t>(w));
      counts.push_back(count_scale * (1 + std::floor(5 * uniform(noise, w, 1000000))));
      for (std::int64_t k = 0; k < topics; ++k) {
        const double power = std::pow(uniform(noise, w, k), 3);
        lambda.push_back(static_cast<float>(smallest_lambda * std::pow(100 / smallest_lambda, power)));
      }
    }
    theta.resize(static_cast<std::size_t>(svi::lda::stride_of(topics)));
    take_lambda();
  }
  static float uniform(const svi::Philox& noise, std::int64_t word, std::int64_t k) {
    return static_cast<float>(noise.uniform(svi::Purpose::test_data, 0, static_cast<std::uint64_t>(word),
                                            static_cast<std::uint64_t>(k)));
  }
  void take_lambda() {
    const svi::ParameterSet parameters = svi::test::lambda_parameters(std::ssize(words), topics, lambda);
    const Topics of_parameters(parameters);
    beta.compute(kernel, svi::lda::RowKind::exp_expected_log, words, of_parameters);
    log_beta.clear();
    for (std::size_t i = 0; i < lambda.size(); ++i) {
      log_beta.push_back(svi::math::digamma(static_cast<double>(lambda[i])) -
                         svi::math::digamma(of_parameters.totals()[i % static_cast<std::size_t>(topics)]));
    }
  }
  Document document() const { return {words, counts}; }
  double tokens() const { return std::accumulate(counts.begin(), counts.end(), 0.0); }
  bool fit(EStep& e_step) { return e_step.fit(beta, document(), theta.data()); }
  ReferenceFit reference(const EStepOptions& options) const {
    return svi::lda::fit_reference(log_beta, counts, std::vector<double>(static_cast<std::size_t>(topics), 1),
                                   options);
  }

  std::int64_t topics;
  Kernel<float> kernel;
  std::vector<std::int32_t> words;
  std::vector<float> counts;
  std::vector<float> lambda;
  std::vector<double> log_beta;
  TopicRows beta;
  svi::AlignedBuffer<float> theta;
};

const EStepOptions tight{.alpha = 0.1, .tolerance = 1e-5, .max_iterations = 2000, .active_topics = false};
const EStepOptions tight_active{.alpha = 0.1, .tolerance = 1e-5, .max_iterations = 2000};

// The reference does the same iterations in float64. float32's exp ψ(γ) is right to 3.5e-6 at γ = α, so γ
// to 3.5e-7; until topics part, each iteration multiplies that, by 5,000 in all where they part slowest
// (1,000 topics, 4 words of 16 tokens: 3.3e-7 after the fourth iteration, 1.6e-3 after the last). 5,000
// · 3.5e-7 is 1.1e-4 of these tokens.
void agrees_with_the_reference(Case& a, const EStepOptions& options) {
  EStep e_step(a.kernel, a.topics, options);
  ASSERT_TRUE(a.fit(e_step)) << a.kernel.name;
  const ReferenceFit reference = a.reference(options);
  for (std::size_t k = 0; k < reference.gamma.size(); ++k)
    ASSERT_NEAR(e_step.gamma()[k], reference.gamma[k], 1.1e-4 * a.tokens())
        << a.kernel.name << ", topic " << k;
  // Each token's logarithm is right to about 1e-6 of its size, at most 10 here; and each topic's ln Γ(γ) − ln
  // Γ(α) to 1.4e-6, the worst of all float32 γ from α to α + .012: on the way are numbers about 5, each
  // rounded to 2.4e-7. Where topics are alike these errors are, too, and add up.
  EXPECT_NEAR(e_step.bound(a.beta, a.document()), reference.bound,
              1e-5 * a.tokens() + 1.4e-6 * static_cast<double>(a.topics))
      << a.kernel.name;
}

class Sizes : public testing::TestWithParam<std::tuple<std::int64_t, std::int64_t, double>> {};

TEST_P(Sizes, AgreesWithTheReferenceOnEveryInstructionSet) {
  const auto [topics, words, smallest] = GetParam();
  for (const Kernel<float>& kernel : svi::lda::kernels<float>()) {
    Case a(topics, words, smallest, 17, kernel);
    agrees_with_the_reference(a, tight);
    agrees_with_the_reference(a, tight_active);
  }
}

// The first iteration takes norms from totals of rows.
TEST_P(Sizes, AgreesAfterOneIteration) {
  const auto [topics, words, smallest] = GetParam();
  for (const Kernel<float>& kernel : svi::lda::kernels<float>()) {
    Case a(topics, words, smallest, 19, kernel);
    const EStepOptions one{.alpha = 0.1, .tolerance = 1e-5, .max_iterations = 1};
    EStep e_step(kernel, topics, one);
    ASSERT_TRUE(a.fit(e_step));
    ASSERT_EQ(e_step.iterations(), 1);
    const ReferenceFit reference = a.reference(one);
    // β' is right to 5e-7 + 3e-7/λ, λ from `smallest` on; sums of K and of n numbers to as many times 6e-8.
    const double error = 5e-7 + 3e-7 / smallest + static_cast<double>(topics + words) * 6e-8;
    for (std::size_t k = 0; k < reference.gamma.size(); ++k)
      ASSERT_NEAR(e_step.gamma()[k], reference.gamma[k], 2 * error * reference.gamma[k]) << kernel.name;
  }
}

// Leaving out what γ does not depend on leaves its bits.
TEST_P(Sizes, GivesTheSameGammaAlone) {
  const auto [topics, words, smallest] = GetParam();
  for (const Kernel<float>& kernel : svi::lda::kernels<float>()) {
    Case a(topics, words, smallest, 29, kernel);
    for (const EStepOptions& options : {tight, tight_active}) {
      EStep whole(kernel, topics, options);
      EStep alone(kernel, topics, options);
      ASSERT_TRUE(a.fit(whole));
      ASSERT_TRUE(alone.fit(a.beta, a.document(), a.theta.data(), EStep::Wanted::gamma));
      EXPECT_TRUE(std::ranges::equal(whole.gamma(), alone.gamma())) << kernel.name;
      EXPECT_EQ(whole.iterations(), alone.iterations());
    }
  }
}

TEST_P(Sizes, KeepsTheCounts) {
  const auto [topics, words, smallest] = GetParam();
  for (const Kernel<float>& kernel : svi::lda::kernels<float>()) {
    Case a(topics, words, smallest, 23, kernel);
    EStep e_step(kernel, topics, tight);
    ASSERT_TRUE(a.fit(e_step));
    // float32 sums of n positive numbers are right to n·6e-8: the norms over topics, the sums over words; and
    // half a dozen operations more.
    const double of_norms = static_cast<double>(topics + 6) * 6e-8;
    const double of_sums = of_norms + static_cast<double>(words) * 6e-8;
    // Σ_k γ_k = Kα + N, each of the N tokens in some topic.
    const double gamma = std::accumulate(e_step.gamma().begin(), e_step.gamma().end(), 0.0);
    const double expected = static_cast<double>(topics) * tight.alpha + a.tokens();
    EXPECT_NEAR(gamma, expected, of_sums * expected);
    // The expected counts of each word add up to its occurrences.
    std::vector<float> of_word(static_cast<std::size_t>(topics) + 1, -1);
    for (std::int64_t n = 0; n < words; ++n) {
      const std::int32_t document = 0;
      kernel.word_counts({.stride = a.beta.stride(),
                          .topics = topics,
                          .documents = 1,
                          .which = &document,
                          .ratios = &e_step.ratios()[static_cast<std::size_t>(n)],
                          .theta = a.theta.data(),
                          .row = a.beta.row(n),
                          .out = of_word.data()});
      EXPECT_EQ(of_word.back(), -1) << "written beyond K";
      EXPECT_NEAR(std::accumulate(of_word.begin(), of_word.end() - 1, 0.0),
                  a.counts[static_cast<std::size_t>(n)], of_norms * a.counts[static_cast<std::size_t>(n)]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(TopicsWordsSmallestLambda, Sizes,
                         testing::Combine(testing::Values(1, 2, 15, 16, 17, 100, 1000),
                                          testing::Values(1, 3, 4, 5, 60), testing::Values(0.01, 0.5)));

// A document of 100,000 distinct words, and one whose words come a million times. Few iterations: both paths
// are then at the same place, though far from the fixed point.
TEST(EStep, AgreesWithTheReferenceOnHugeDocuments) {
  const EStepOptions few{.alpha = 0.1, .tolerance = 1e-5, .max_iterations = 10, .active_topics = false};
  for (const Kernel<float>& kernel : svi::lda::kernels<float>()) {
    Case many_words(7, 100000, 0.01, 29, kernel);
    agrees_with_the_reference(many_words, few);
    Case many_tokens(17, 9, 0.01, 31, kernel, 1e6F);
    agrees_with_the_reference(many_tokens, few);
  }
}

// The same in float64: nothing but the order of its sums differs from the reference.
TEST(EStep, OfFloat64IsTheReferenceToElevenDigits) {
  for (const Kernel<double>& kernel : svi::lda::kernels<double>())
    for (const std::int64_t topics : {1, 9, 37, 100}) {
      const Case a(topics, 60, 0.01, 37);
      const svi::ParameterSet parameters = svi::test::lambda_parameters(60, topics, a.lambda, at::kDouble);
      svi::lda::TopicRows<double> beta;
      beta.compute(kernel, svi::lda::RowKind::exp_expected_log, a.words, Topics(parameters));
      svi::AlignedBuffer<double> theta;
      theta.resize(static_cast<std::size_t>(beta.stride()));
      const EStepOptions few{.alpha = 0.1, .tolerance = 1e-9, .max_iterations = 20, .active_topics = false};
      svi::lda::EStep<double> e_step(kernel, topics, few);
      ASSERT_TRUE(e_step.fit(beta, a.document(), theta.data()));
      const ReferenceFit reference = a.reference(few);
      for (std::size_t k = 0; k < reference.gamma.size(); ++k)
        EXPECT_NEAR(e_step.gamma()[k], reference.gamma[k], 1e-11 * a.tokens());
      EXPECT_NEAR(e_step.bound(beta, a.document()), reference.bound, 1e-10 * std::fabs(reference.bound));
    }
}

// Documents of a topic model rather than of noise: each word belongs to one of 100 topics, each document to
// four. Most iterations are then over few topics, and yet one iteration more over all, in float64, moves γ by
// no more than the tolerance.
template <typename Real>
void active_topics_end_where_all_rest(const Kernel<Real>& kernel) {
  constexpr std::int64_t topics = 100;
  Case a(topics, 60, 0.01, 41);
  for (std::size_t i = 0; i < a.lambda.size(); ++i) {
    const bool is_used = i % topics % 25 == 3;
    a.lambda[i] = is_used ? 5 + a.lambda[i] / 10 : 0.05F + a.lambda[i] / 1000;
  }
  a.take_lambda();
  const svi::ParameterSet parameters =
      svi::test::lambda_parameters(60, topics, a.lambda, c10::CppTypeToScalarType<Real>::value);
  svi::lda::TopicRows<Real> beta;
  beta.compute(kernel, svi::lda::RowKind::exp_expected_log, a.words, Topics(parameters));
  svi::AlignedBuffer<Real> theta;
  theta.resize(static_cast<std::size_t>(beta.stride()));
  EStepOptions options{.alpha = 0.1, .tolerance = 1e-4, .max_iterations = 1000};
  const auto gamma_by = [&](const EStepOptions& with) {
    svi::lda::EStep<Real> e_step(kernel, topics, with);
    EXPECT_TRUE(e_step.fit(beta, a.document(), theta.data()));
    return std::vector<double>(e_step.gamma().begin(), e_step.gamma().end());
  };
  const std::vector<double> gamma = gamma_by(options);
  const ReferenceFit once = svi::lda::fit_reference(a.log_beta, a.counts, gamma,
                                                    {.alpha = 0.1, .tolerance = 1e-12, .max_iterations = 1});
  double change = 0;
  for (std::size_t k = 0; k < topics; ++k) change += std::fabs(once.gamma[k] - gamma[k]);
  EXPECT_LT(change / topics, options.tolerance) << kernel.name;
  EXPECT_GT(*std::max_element(gamma.begin(), gamma.end()), 10);
  options.active_topics = false;
  EXPECT_NE(gamma, gamma_by(options)) << "active topics never came in, " << kernel.name;
}

TEST(EStep, WithActiveTopicsEndsWhereAllTopicsRest) {
  for (const Kernel<float>& kernel : svi::lda::kernels<float>()) active_topics_end_where_all_rest(kernel);
  for (const Kernel<double>& kernel : svi::lda::kernels<double>()) active_topics_end_where_all_rest(kernel);
}

TEST(EStepReference, BoundNeverFallsAndEndsAtAFixedPoint) {
  const Case a(7, 40, 0.01, 5);
  const auto fit_within = [&](std::int64_t iterations) {
    return a.reference({.alpha = 0.1, .tolerance = 1e-10, .max_iterations = iterations});
  };
  const ReferenceFit fit = fit_within(5000);
  ASSERT_GT(fit.iterations, 10);
  ASSERT_LT(fit.iterations, 5000);
  // float64's digamma is right to 2e-14, hence a bound of a few hundred nats to 1e-11.
  double before = fit_within(0).bound;
  EXPECT_GT(fit.bound, before + 0.1);
  for (std::int64_t iterations = 1; iterations <= std::min<std::int64_t>(fit.iterations, 200); ++iterations) {
    const double now = fit_within(iterations).bound;
    EXPECT_GE(now, before - 1e-10) << iterations;
    before = now;
  }
  // γ_k = α + Σ_n c_n φ_nk with the φ of this γ: one iteration more would move all seven by less than
  // 7·1e-10.
  for (std::size_t k = 0; k < 7; ++k) {
    double expected = 0.1;
    for (std::size_t n = 0; n < a.counts.size(); ++n) expected += fit.counts[n * 7 + k];
    EXPECT_NEAR(fit.gamma[k], expected, 7e-10);
  }
}

// ψ(0.01) = −100.6: every topic but one is beyond float32's exp for each word, and α = 0.01 does it to θ too.
TEST(EStep, SmallPriorsStayFiniteAndAgree) {
  Case a(4, 6, 0.01, 3);
  for (std::size_t w = 0; w < 6; ++w) {
    for (std::size_t k = 0; k < 4; ++k) a.lambda[w * 4 + k] = w % 4 == k ? 50.0F : 0.01F;
  }
  a.take_lambda();
  const EStepOptions options{.alpha = 0.01, .tolerance = 1e-5, .max_iterations = 1000};
  EStep e_step(fastest(), 4, options);
  ASSERT_TRUE(a.fit(e_step));
  const ReferenceFit reference = a.reference(options);
  // Each word is in its one topic up to exp(−100): γ_k is a sum of counts, of a dozen operations right to
  // 6e-8.
  for (std::size_t k = 0; k < 4; ++k)
    EXPECT_NEAR(e_step.gamma()[k], reference.gamma[k], 12 * 6e-8 * a.tokens());
  // A token's logarithm is made of four digammas below 5, float32's being right to 1e-6 of themselves at
  // most.
  EXPECT_NEAR(e_step.bound(a.beta, a.document()), reference.bound, 4 * 5e-6 * a.tokens());
}

TEST(EStep, AnEmptyDocumentKeepsThePrior) {
  Case a(3, 2, 0.5, 1);
  EStep e_step(fastest(), 3, tight);
  ASSERT_TRUE(e_step.fit(a.beta, {}, a.theta.data()));
  for (const float gamma : e_step.gamma()) EXPECT_FLOAT_EQ(gamma, 0.1F);
  EXPECT_EQ(e_step.bound(a.beta, {}), 0);
}

TEST(EStep, StopsAtItsIterationCap) {
  Case a(5, 30, 0.01, 2);
  EStep e_step(fastest(), 5, {.alpha = 0.1, .tolerance = 1e-12, .max_iterations = 3});
  ASSERT_TRUE(a.fit(e_step));
  EXPECT_EQ(e_step.iterations(), 3);
}

}  // namespace
