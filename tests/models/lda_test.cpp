#include "models/lda.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ranges>

#include "models/instance.hpp"
#include "models/lambda.hpp"
#include "models/lda_alpha.hpp"
#include "models/synthetic_topics.hpp"
#include "svi/core/completion.hpp"
#include "svi/core/parallel.hpp"
#include "svi/math/special.hpp"

namespace {

using svi::CountRows;
using svi::Minibatch;
using svi::Tensor;
using svi::test::Instance;
using svi::test::robbins_monro;
using svi::test::Synthetic;

double smallest_matched_cosine(const Tensor& found, const Tensor& expected) {
  const Tensor cosines = at::mm(found / found.norm(2, 1, true), (expected / expected.norm(2, 1, true)).t());
  return std::get<0>(cosines.max(0)).min().item<double>();
}

TEST(Lda, RecoversSyntheticTopics) {
  const Synthetic truth;
  constexpr std::int64_t documents = 10000;
  Instance lda("lda", {"topics=5", "alpha=0.3", "eta=0.05"},
               {.training_rows = documents, .feature_shape = {Synthetic::vocabulary}});
  const auto rule = robbins_monro(2, 0.7);
  const auto* topics = dynamic_cast<const svi::TopicModel*>(lda.model.get());
  EXPECT_LT(smallest_matched_cosine(topics->topics(lda.state.parameters), truth.beta), 0.9);
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    for (std::int64_t first = 0; first < documents; first += 250)
      lda.step(*rule, truth.documents(first, first + 250));
  }
  EXPECT_GT(smallest_matched_cosine(topics->topics(lda.state.parameters), truth.beta), 0.99);
}

// κ = 0 and the whole data as minibatch: each step is an exact coordinate ascent (α = 1: one optimum a
// document), so the bound never falls by more than float32 leaves open.
TEST(Lda, BatchVariationalBayesIsTheSpecialCase) {
  const Synthetic truth;
  const Minibatch all = truth.documents(0, 200);
  Instance lda("lda", {"topics=5", "alpha=1", "eta=0.05", "tolerance=1e-6", "max_iterations=2000"},
               {.training_rows = 200, .feature_shape = {Synthetic::vocabulary}});
  const auto rule = robbins_monro(1, 0);
  double before = lda.elbo(all);
  const double first = before;
  for (int t = 0; t < 30; ++t) {
    // λ after the step is η + the expected counts under λ before it.
    svi::Contribution total = lda.accumulate(all);
    const Tensor expected = svi::test::dense(total.rows, Synthetic::vocabulary) + 0.05;
    lda.step(*rule, all);
    // The counts are cleared and set, in float32.
    EXPECT_LT((svi::test::lambda_of(lda.state.parameters) - expected).abs().max().item<double>(),
              6e-8 * expected.max().item<double>());
    const double now = lda.elbo(all);
    // 50 tokens a document, the logarithm of each from four float32 digammas right to about 1e-7.
    EXPECT_GT(now, before - 50 * 4 * 1e-7);
    before = now;
  }
  EXPECT_GT(before, first + 1);
}

TEST(Lda, StatisticsAddUpToTheTokens) {
  const Synthetic truth;
  const Minibatch all = truth.documents(0, 64);
  Instance lda("lda", {"topics=7"}, {.training_rows = 64, .feature_shape = {Synthetic::vocabulary}});
  const svi::Contribution total = lda.accumulate(all);
  // float32 sums over 7 topics and 64 documents, and half a dozen operations more, each right to 6e-8.
  EXPECT_NEAR(total.rows.values.sum(at::kDouble).item<double>(), 64 * 50, (7 + 64 + 6) * 6e-8 * 64 * 50);
}

// The words that a document fits on are added up in its place, whichever thread fitted it.
class Threads : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Inference, Threads, testing::Values("variational", "scvb0"));

TEST_P(Threads, ChangeNoBit) {
  const Synthetic truth;
  const Minibatch all = truth.documents(0, 200);
  const std::string inference = std::string("inference=") + GetParam();
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    Instance lda("lda", {"topics=37", "alpha=learned", inference},
                 {.training_rows = 200, .feature_shape = {Synthetic::vocabulary}}, type);
    const svi::Contribution of_one = lda.accumulate(all);
    const auto evaluated = [&] {
      const auto evaluation = lda.model->evaluation(lda.state.parameters, svi::EvaluationRows::held_out, 1);
      svi::Sums sums(evaluation->layout());
      evaluation->add(all, sums);
      return std::vector<double>(sums.flat().begin(), sums.flat().end());
    };
    const std::vector<double> figures = evaluated();
    for (const int threads : {2, 4}) {
      svi::set_parallel_threads(threads);
      const svi::Contribution of_several = lda.accumulate(all);
      EXPECT_TRUE(at::equal(of_several.rows.values, of_one.rows.values)) << threads;
      EXPECT_TRUE(std::ranges::equal(of_several.terms.flat(), of_one.terms.flat())) << threads;
      EXPECT_EQ(evaluated(), figures) << threads;
      svi::set_parallel_threads(1);
    }
    EXPECT_GT(of_one.rows.values.sum().item<double>(), 0);
  }
}

// Only rows of words that occur are filled in, and they are those of all words.
TEST(Lda, ExchangesTheRowsOfOccurringWordsAlone) {
  const Synthetic truth;
  const Minibatch few = truth.documents(0, 3);
  Instance lda("lda", {"topics=5"}, {.training_rows = 64, .feature_shape = {Synthetic::vocabulary}});
  const svi::Contribution whole = lda.accumulate(few);
  svi::WordSet occurring(Synthetic::vocabulary);
  occurring.add(std::get<CountRows>(few.rows));
  svi::Contribution part(lda.model->parameter_shapes(), at::kFloat, lda.model->terms());
  part.clear(occurring.words());
  lda.model->accumulate(lda.state.parameters, few, {lda.noise, lda.state.previous_means}, part);
  EXPECT_LT(part.rows.size(), Synthetic::vocabulary);
  EXPECT_TRUE(at::equal(svi::test::dense(part.rows, Synthetic::vocabulary),
                        svi::test::dense(whole.rows, Synthetic::vocabulary)));
  const auto rule = robbins_monro(3, 0.7);
  lda.model->to_direction(lda.state.parameters, part);
  svi::TrainingState other;
  other.parameters = lda.state.parameters.zeros_like();
  other.parameters["lambda"].copy_(lda.state.parameters["lambda"]);
  other.parameters.lazy("lambda") = lda.state.parameters.lazy("lambda");
  rule->update(other, part);
  lda.step(*rule, few);  // all words, most of them with zeros
  EXPECT_TRUE(at::equal(other.parameters["lambda"], lda.state.parameters["lambda"]));
  EXPECT_EQ(other.parameters.lazy("lambda"), lda.state.parameters.lazy("lambda"));
}

// In float64 a whole run stays near that in float32.
TEST(Lda, Float64TrainsTheSameModel) {
  const Synthetic truth;
  const svi::DataShape shape{.training_rows = 400, .feature_shape = {Synthetic::vocabulary}};
  Instance single("lda", {"topics=5", "alpha=1", "tolerance=1e-5", "max_iterations=1000"}, shape);
  Instance twice("lda", {"topics=5", "alpha=1", "tolerance=1e-5", "max_iterations=1000"}, shape, at::kDouble);
  const auto rule = robbins_monro(2, 0.7);
  for (std::int64_t t = 0; t < 8; ++t) {
    for (Instance* lda : {&single, &twice}) lda->step(*rule, truth.documents(50 * t, 50 * t + 50));
  }
  const Tensor lambda = svi::test::lambda_of(twice.state.parameters);
  // γ stops within 1e-5 of a token a topic where convergence is slow by a factor of ten; N/S = 8.
  EXPECT_LT((svi::test::lambda_of(single.state.parameters) - lambda).abs().max().item<double>(),
            1e-4 * lambda.max().item<double>());
  EXPECT_FALSE(
      at::equal(single.state.parameters["lambda"].to(at::kDouble), twice.state.parameters["lambda"]));
}

// The maximum that Newton's method finds is the distribution's own: with m = E[ln θ] of Dirichlet(a), α = a.
TEST(LearnedAlpha, IsThatOfItsDirichlet) {
  const std::vector<double> truth{0.02, 0.5, 3, 40};
  std::vector<double> mean;
  for (const double a : truth) mean.push_back(svi::math::digamma(a) - svi::math::digamma(43.52));
  std::vector<double> alpha(4, 0.1);
  for (int call = 0; call < 10; ++call) svi::lda::fit_alpha(mean, alpha);
  for (std::size_t k = 0; k < 4; ++k) EXPECT_NEAR(alpha[k], truth[k], 1e-6 * truth[k]);
  double one = 0.1;
  const double total = 7 * (svi::math::digamma(0.3) - svi::math::digamma(2.1));
  for (int call = 0; call < 10; ++call) one = svi::lda::fit_symmetric_alpha(total, 7, one);
  EXPECT_NEAR(one, 0.3, 1e-6);
}

// With κ = 0 a step maximises the bound of the whole data in α, up to its documents' γ: near the end no α
// beside it gives more. And the bound under a learned prior ends above that under the first one.
TEST(LearnedAlpha, RaisesTheBound) {
  const Synthetic truth;
  const Minibatch all = truth.documents(0, 200);
  const auto rule = robbins_monro(1, 0);
  const svi::DataShape shape{.training_rows = 200, .feature_shape = {Synthetic::vocabulary}};
  std::map<std::string, double> elbo;
  for (const std::string alpha : {"0.1", "learned_symmetric", "learned"}) {
    Instance lda("lda", {"topics=5", "alpha=" + alpha, "eta=0.05", "tolerance=1e-5", "max_iterations=2000"},
                 shape);
    for (int t = 0; t < 60; ++t) lda.step(*rule, all);
    elbo[alpha] = lda.elbo(all);
    if (alpha == "0.1") continue;
    const Tensor learned = lda.state.parameters["alpha"].clone();
    EXPECT_GT((learned - 0.1).abs().max().item<double>(), 0.01);
    EXPECT_EQ(at::allclose(learned, learned[0].expand({5})), alpha == "learned_symmetric");
    for (const double factor : {0.8, 1.25}) {
      lda.state.parameters["alpha"].copy_(learned * factor);
      EXPECT_LT(lda.elbo(all), elbo[alpha] + 1e-4) << alpha << " times " << factor;
    }
  }
  EXPECT_GT(elbo["learned_symmetric"], elbo["0.1"] + 0.01);
  EXPECT_GT(elbo["learned"], elbo["0.1"] + 0.01);  // of the two either: they end in optima of their own
}

// Where a document stands in the data, and when it comes, is nothing to its topics.
TEST(Lda, DocumentsAreTheirWordsAlone) {
  const Synthetic truth;
  Minibatch minibatch = truth.documents(0, 4);
  Instance lda("lda", {"topics=5", "max_iterations=1"},
               {.training_rows = 4, .feature_shape = {Synthetic::vocabulary}});
  const Tensor first = lda.accumulate(minibatch).rows.values;
  EXPECT_TRUE(at::equal(lda.accumulate(minibatch).rows.values, first));
  EXPECT_FALSE(at::equal(lda.accumulate(truth.documents(4, 8)).rows.values, first));
  minibatch.step = 1;
  minibatch.ids = {17, 5, 99, 3};
  EXPECT_TRUE(at::equal(lda.accumulate(minibatch).rows.values, first));
}

}  // namespace
