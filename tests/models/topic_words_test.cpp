#include "svi/models/topic_words.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "svi/models/topic_map.hpp"

namespace svi {
namespace {

// By sorting each topic whole.
std::vector<std::vector<std::int64_t>> top_words(const Tensor& topics, std::int64_t count) {
  std::vector<std::vector<std::int64_t>> top;
  for (std::int64_t k = 0; k < topics.size(0); ++k) {
    const Tensor order = topics[k].argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
    const auto* first = order.data_ptr<std::int64_t>();
    top.emplace_back(first, first + count);
  }
  return top;
}

// Topics with a λ that is written down: what ranks and compares them needs no more.
class GivenTopics : public TopicModel {
 public:
  explicit GivenTopics(const Tensor& lambda) : lambda_(lambda) {}
  Tensor topics(const ParameterSet&) const override { return lambda_ / lambda_.sum(1, true); }
  Tensor topic_shares(const ParameterSet&) const override { return lambda_.sum(1) / lambda_.sum(); }
  Tensor topic_tokens(const ParameterSet&, std::int64_t first, std::int64_t last) const override {
    return lambda_.slice(0, first, last);
  }
  TopicPriors priors(const ParameterSet&) const override { return {}; }
  DocumentTopics document_topics(const ParameterSet&, const Minibatch&) override { return {}; }

 private:
  Tensor lambda_;
};

const ParameterSet none;

Tensor matrix(std::vector<double> values, std::int64_t rows) {
  return at::tensor(values, at::kDouble).reshape({rows, -1});
}

// β = (.5 .3 .1 .1), (.6 .2 .15 .05); the shares are 1/3 and 2/3.
GivenTopics two_topics() { return GivenTopics(matrix({5, 3, 1, 1, 12, 4, 3, 1}, 2)); }

using Words = std::vector<std::int64_t>;

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-12) << i;
}

TEST(TopicWords, ByProbability) {
  const auto ranked = rank_words(two_topics(), none, WordOrder::probability, 3);
  ASSERT_EQ(ranked.size(), 2U);
  EXPECT_EQ(ranked[0].words, (Words{0, 1, 2}));  // equal ones by number
  expect_near(ranked[0].probabilities, {.5, .3, .1});
  expect_near(ranked[1].scores, {.6, .2, .15});
}

// Exclusivity of topic 0: 5/11, 3/5, 2/5, 2/3, so that its words stand at 2/4, 3/4, 1/4, 4/4; by frequency at
// 4/4, 3/4, and both of the last, being equal, at 2/4.
TEST(TopicWords, ByFrex) {
  const auto ranked = rank_words(two_topics(), none, WordOrder::frex, 10);
  EXPECT_EQ(ranked[0].words, (Words{1, 0, 3, 2}));
  expect_near(ranked[0].scores, {3. / 4, 2. / 3, 2. / 3, 1. / 3});
  expect_near(ranked[0].probabilities, {.3, .5, .1, .1});
}

// p(w) = 17/30, 7/30, 4/30, 2/30.
TEST(TopicWords, ByLift) {
  const auto ranked = rank_words(two_topics(), none, WordOrder::lift, 2);
  EXPECT_EQ(ranked[0].words, (Words{3, 1}));
  expect_near(ranked[0].scores, {.1 * 30 / 2, .3 * 30 / 7});
  EXPECT_EQ(ranked[1].words, (Words{2, 0}));
  expect_near(ranked[1].scores, {.15 * 30 / 4, .6 * 30 / 17});
}

// More topics than are held at a time.
TEST(TopicWords, PassesOverAllTopicsInOrder) {
  at::manual_seed(3);
  const GivenTopics model(at::rand({37, 50}, at::kDouble));
  std::int64_t next = 0;
  for_each_topic(model, none, [&](std::int64_t k, const Tensor& beta) {
    EXPECT_EQ(k, next++);
    EXPECT_LT((beta - model.topics(none)[k]).abs().max().item<double>(), 1e-15);
  });
  EXPECT_EQ(next, 37);
  const auto ranked = rank_words(model, none, WordOrder::probability, 5);
  const auto expected = top_words(model.topics(none), 5);
  for (std::size_t k = 0; k < 37; ++k) EXPECT_EQ(ranked[k].words, expected[k]) << k;
}

TEST(TopicMap, HellingerDistances) {
  const Tensor distances = hellinger_distances(matrix({1, 0, .5, .5, 0, 1}, 3), matrix({1, 0}, 1)[0]);
  EXPECT_NEAR(distances[0].item<double>(), 0, 1e-15);
  EXPECT_NEAR(distances[1].item<double>(), std::sqrt(1 - std::sqrt(.5)), 1e-15);
  EXPECT_NEAR(distances[2].item<double>(), 1, 1e-15);
}

TEST(TopicMap, DivergencesInClosedForm) {
  const Tensor found = topic_divergences(GivenTopics(matrix({2, 0, 0, 3, 0, 0, 1, 1, 0, 0, 0, 7}, 4)), none);
  const double half = -.75 * std::log(.75) - .25 * std::log(.25) - .5 * std::log(2.);
  const double ln2 = std::log(2.);
  const Tensor expected = matrix({0, 0, half, ln2, 0, 0, half, ln2, half, half, 0, ln2, ln2, ln2, ln2, 0}, 4);
  EXPECT_LT((found - expected).abs().max().item<double>(), 1e-14) << found;
}

// Blocks of topics against the definition ½ KL(p ‖ m) + ½ KL(q ‖ m), one pair at a time.
TEST(TopicMap, DivergencesByDefinition) {
  at::manual_seed(4);
  const GivenTopics model(at::rand({35, 20}, at::kDouble).pow(3));
  const Tensor beta = model.topics(none);
  const Tensor found = topic_divergences(model, none);
  for (std::int64_t i = 0; i < 35; ++i) {
    for (std::int64_t j = 0; j < 35; ++j) {
      const Tensor m = (beta[i] + beta[j]) / 2;
      const double expected =
          ((beta[i] * (beta[i] / m).log()).sum() + (beta[j] * (beta[j] / m).log()).sum()).item<double>() / 2;
      EXPECT_NEAR(found[i][j].item<double>(), expected, 1e-13) << i << " " << j;
    }
  }
}

Tensor distances_of(const Tensor& points) {
  return (points.unsqueeze(0) - points.unsqueeze(1)).square().sum(2).sqrt();
}

TEST(TopicMap, ThePlaneIsFoundAgain) {
  const Tensor distances = distances_of(matrix({0, 0, 3, 0, 3, 4, -2, 7, 1, 1}, 5));
  const Tensor points = principal_coordinates(distances);
  EXPECT_LT((distances_of(points) - distances).abs().max().item<double>(), 1e-12) << points;
  EXPECT_LT(points.sum(0).abs().max().item<double>(), 1e-12);                          // about the centre
  EXPECT_LT((points.select(1, 0) * points.select(1, 1)).sum().item<double>(), 1e-12);  // along the main axes
  EXPECT_GT(points.square().sum(0)[0].item<double>(), points.square().sum(0)[1].item<double>());
}

TEST(TopicMap, FewPoints) {
  EXPECT_TRUE(principal_coordinates(at::zeros({1, 1}, at::kDouble)).equal(at::zeros({1, 2}, at::kDouble)));
  const Tensor two = principal_coordinates(matrix({0, 6, 6, 0}, 2));
  EXPECT_NEAR(std::abs(two[0][0].item<double>() - two[1][0].item<double>()), 6, 1e-12);
  EXPECT_LT(two.select(1, 1).abs().max().item<double>(), 1e-6);
}

}  // namespace
}  // namespace svi
