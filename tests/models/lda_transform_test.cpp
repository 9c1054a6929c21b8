// The topics of documents, against what training and evaluation make of the same documents.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/instance.hpp"
#include "svi/core/completion.hpp"

namespace svi::test {
namespace {

constexpr std::int64_t vocabulary = 30;
constexpr std::int64_t topics = 5;
constexpr std::int64_t step = 17;

const DataShape shape{.training_rows = 40, .feature_shape = {vocabulary}, .split_seed = 3};

class Transform : public ::testing::Test {
 protected:
  explicit Transform(const std::string& max_iterations = "20000")
      : lda("lda", {"topics=5", "alpha=0.3", "tolerance=1e-5", "max_iterations=" + max_iterations}, shape),
        model(dynamic_cast<TopicModel&>(*lda.model)) {}

  DocumentTopics transform(const Minibatch& rows) {
    return model.document_topics(lda.state.parameters, rows);
  }

  // The document's part of the ELBO in float64, φ being optimal, from γ = θ·(Σ α + tokens).
  double bound_of(const Tensor& theta, const Minibatch& document) {
    const auto& rows = std::get<CountRows>(document.rows);
    const Tensor words = at::tensor(rows.words, at::kInt);
    const Tensor counts = at::tensor(rows.counts, at::kFloat).to(at::kDouble);
    const Tensor alpha = model.priors(lda.state.parameters).topics;
    const Tensor gamma = theta.to(at::kDouble) * (alpha.sum() + counts.sum());
    const Tensor lambda = model.topic_tokens(lda.state.parameters, 0, topics);
    const Tensor log_beta = (lambda.digamma() - lambda.sum(1, true).digamma()).index_select(1, words);
    const Tensor log_theta = gamma.digamma() - gamma.sum().digamma();
    const Tensor likelihood = (counts * at::logsumexp(log_beta + log_theta.unsqueeze(1), {0})).sum();
    const Tensor divergence = gamma.sum().lgamma() - gamma.lgamma().sum() - alpha.sum().lgamma() +
                              alpha.lgamma().sum() + ((gamma - alpha) * log_theta).sum();
    return (likelihood - divergence).item<double>();
  }

  Instance lda;
  TopicModel& model;
};

TEST_F(Transform, SharesAddUpToOne) {
  const Tensor theta = transform(synthetic(true, vocabulary, 0, 20, step)).theta;
  EXPECT_EQ(theta.sizes(), (std::vector<std::int64_t>{20, topics}));
  EXPECT_GT(theta.min().item<float>(), 0);
  EXPECT_LT((theta.sum(1) - 1).abs().max().item<float>(), 1e-6);
}

// A document's bits depend on its words, and neither on its id and the step nor on other documents.
TEST_F(Transform, EachDocumentForItself) {
  const Tensor together = transform(synthetic(true, vocabulary, 0, 20, step)).theta;
  for (std::int64_t id = 0; id < 20; ++id) {
    const Tensor alone = transform(synthetic(true, vocabulary, id, id + 1, step)).theta;
    EXPECT_TRUE(alone[0].equal(together[id])) << id;
  }
  Minibatch renumbered = synthetic(true, vocabulary, 0, 20, step);
  renumbered.step = step + 1;
  std::ranges::reverse(renumbered.ids);
  EXPECT_TRUE(transform(renumbered).theta.equal(together));
  EXPECT_EQ(transform(synthetic(true, vocabulary, 3, 3, step)).theta.size(0), 0);
}

TEST_F(Transform, ADocumentWithoutWordsHasThePrior) {
  Minibatch empty{.step = step, .ids = {0}, .rows = CountRows{.starts = {0, 0}}};
  const Tensor theta = transform(empty).theta;
  EXPECT_LT((theta - 1.0 / topics).abs().max().item<float>(), 1e-6) << theta;
}

// Training stops after as many iterations, at a γ of the same bound.
TEST_F(Transform, IsTheEStepOfTraining) {
  for (std::int64_t id = 0; id < 10; ++id) {
    const Minibatch document = synthetic(true, vocabulary, id, id + 1, step);
    const DocumentTopics found = transform(document);
    const Contribution contribution = lda.accumulate(document);
    EXPECT_EQ(static_cast<double>(found.iterations), contribution.terms.scalar("iterations"));
    const double bound = contribution.terms.scalar("bound");
    EXPECT_NEAR(bound_of(found.theta[0], document), bound, 2e-5 * std::abs(bound)) << id;
  }
}

// The halves that document completion fits, given to `document_topics`, predict the other halves as it does.
TEST_F(Transform, IsWhatDocumentCompletionUses) {
  const Minibatch documents = synthetic(true, vocabulary, 0, 20, step);
  const auto& rows = std::get<CountRows>(documents.rows);
  const auto evaluation = lda.model->evaluation(lda.state.parameters, EvaluationRows::held_out, 7);
  Sums sums(evaluation->layout());
  evaluation->add(documents, sums);

  CountRows observed;
  CountRows predicted;
  for (std::size_t b = 0; b < 20; ++b) {
    for (auto i = static_cast<std::size_t>(rows.starts[b]); std::cmp_less(i, rows.starts[b + 1]); ++i) {
      const auto seen = static_cast<float>(observed_occurrences(
          shape.split_seed, documents.ids[b], rows.words[i], static_cast<std::int64_t>(rows.counts[i])));
      for (auto [half, count] : {std::pair(&observed, seen), std::pair(&predicted, rows.counts[i] - seen)}) {
        if (count == 0) continue;
        half->words.push_back(rows.words[i]);
        half->counts.push_back(count);
      }
    }
    observed.starts.push_back(std::ssize(observed.words));
    predicted.starts.push_back(std::ssize(predicted.words));
  }
  const Tensor theta =
      transform({.step = step, .ids = documents.ids, .rows = observed}).theta.to(at::kDouble);
  const Tensor likelihood = theta.matmul(model.topics(lda.state.parameters)).log();
  double sum = 0;
  for (std::int64_t b = 0; b < 20; ++b) {
    for (auto i = predicted.starts[static_cast<std::size_t>(b)];
         i < predicted.starts[static_cast<std::size_t>(b) + 1]; ++i) {
      const auto place = static_cast<std::size_t>(i);
      sum +=
          static_cast<double>(predicted.counts[place]) * likelihood[b][predicted.words[place]].item<double>();
    }
  }
  const double expected = sums.scalar("predicted_log_likelihood");
  EXPECT_NEAR(sum, expected, 1e-6 * std::abs(expected));
}

// Stopped after two iterations, what a fit started from still shows.
class StoppedEarly : public Transform {
 protected:
  StoppedEarly() : Transform("2") {}
};

TEST_F(StoppedEarly, StartsWhereTrainingDoes) {
  const Minibatch document = synthetic(true, vocabulary, 4, 5, step);
  const double bound = lda.accumulate(document).terms.scalar("bound");
  EXPECT_NEAR(bound_of(transform(document).theta[0], document), bound, 2e-5 * std::abs(bound));
  Instance before("lda", {"topics=5", "alpha=0.3", "tolerance=1e-5", "max_iterations=1"}, shape);
  EXPECT_LT(before.accumulate(document).terms.scalar("bound"), bound - 1e-4 * std::abs(bound));
}

TEST_F(Transform, PriorsAndTokensAreTheModels) {
  const ParameterSet& parameters = lda.state.parameters;
  const TopicPriors priors = model.priors(parameters);
  EXPECT_TRUE(priors.topics.equal(at::full({topics}, 0.3, at::kDouble)));
  EXPECT_TRUE(priors.words.equal(at::full({vocabulary}, 0.01, at::kDouble)));
  const Tensor tokens = model.topic_tokens(parameters, 0, topics);
  const Tensor totals = tokens.sum(1, true);
  EXPECT_LT((tokens / totals - model.topics(parameters)).abs().max().item<double>(), 1e-15);
  EXPECT_LT((totals.view({-1}) / totals.sum() - model.topic_shares(parameters)).abs().max().item<double>(),
            1e-15);
  EXPECT_TRUE(model.topic_tokens(parameters, 1, 3).equal(tokens.slice(0, 1, 3)));
}

}  // namespace
}  // namespace svi::test
