// Priors of LDA: lists of α, η learned or chosen on the hold-out, and words with priors of their own.
#include "models/lda_priors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/instance.hpp"
#include "models/lambda.hpp"
#include "models/lda.hpp"
#include "models/synthetic_topics.hpp"
#include "svi/base/error.hpp"
#include "svi/core/parallel.hpp"

namespace {

using svi::CountRows;
using svi::Minibatch;
using svi::Tensor;
using svi::WordPrior;
using svi::lda::WordPriors;
using svi::test::Instance;
using svi::test::lambda_of;
using svi::test::robbins_monro;
using svi::test::Synthetic;

constexpr std::int64_t vocabulary = Synthetic::vocabulary;
constexpr std::int64_t topics = 5;

svi::DataShape shape_of(std::int64_t rows, std::vector<WordPrior> word_priors = {}) {
  return {.training_rows = rows, .feature_shape = {vocabulary}, .word_priors = std::move(word_priors)};
}

// Two seed words, a word with a prior in all topics, and one with both.
const std::vector<WordPrior> some_priors{{3, 0, 2.5},
                                         {47, 4, 0.75},
                                         {60, WordPrior::all_topics, 0.3},
                                         {60, 2, 1.25},
                                         {99, WordPrior::all_topics, 4}};

// The whole matrix of priors [V, K].
Tensor dense_priors(const std::vector<WordPrior>& list, double eta) {
  Tensor priors = at::full({vocabulary, topics}, eta, at::kDouble);
  for (const WordPrior& prior : list) {
    const Tensor row = priors[prior.word];
    (prior.topic < 0 ? row : row[prior.topic]).add_(prior.weight);
  }
  return priors;
}

Tensor expected_log_beta(const Tensor& lambda) { return lambda.digamma() - lambda.sum(0).digamma(); }

// The part of the bound with the prior in it, and the divergence of the topics, by the formulas.
double bound_of(const Tensor& prior, const Tensor& log_beta) {
  return (prior.sum(0).lgamma().sum() - prior.lgamma().sum() + (prior * log_beta).sum()).item<double>();
}
double divergence_of(const Tensor& lambda, const Tensor& prior) {
  const Tensor cross = ((lambda - prior) * expected_log_beta(lambda)).sum();
  return (lambda.sum(0).lgamma().sum() - lambda.lgamma().sum() - prior.sum(0).lgamma().sum() +
          prior.lgamma().sum() + cross)
      .item<double>();
}

// The η of the largest bound, by golden sections of its logarithm.
double best_eta(const Tensor& lambda, const std::vector<WordPrior>& list) {
  const Tensor log_beta = expected_log_beta(lambda);
  const auto bound = [&](double log_eta) {
    return bound_of(dense_priors(list, std::exp(log_eta)), log_beta);
  };
  const double ratio = (std::sqrt(5) - 1) / 2;
  double low = std::log(1e-6);
  double high = std::log(1e3);
  while (high - low > 1e-9) {
    const double left = high - ratio * (high - low);
    const double right = low + ratio * (high - low);
    (bound(left) < bound(right) ? low : high) = bound(left) < bound(right) ? left : right;
  }
  return std::exp((low + high) / 2);
}

TEST(AlphaList, IsThePriorOfEachTopic) {
  const Synthetic truth;
  Instance listed("lda", {"topics=5", "alpha=[0.1, 0.2, 0.3, 0.4, 3]"}, shape_of(64));
  const auto& model = dynamic_cast<const svi::TopicModel&>(*listed.model);
  const Tensor expected = at::tensor({0.1, 0.2, 0.3, 0.4, 3.0}, at::kDouble);
  EXPECT_TRUE(at::equal(model.priors(listed.state.parameters).topics, expected));
  // A document without words has the prior's topics.
  Minibatch empty{.ids = {0}, .rows = CountRows{.starts = {0, 0}}};
  auto& topic_model = dynamic_cast<svi::TopicModel&>(*listed.model);
  const Tensor theta = topic_model.document_topics(listed.state.parameters, empty).theta[0];
  EXPECT_LT((theta.to(at::kDouble) - expected / 4).abs().max().item<double>(), 1e-6);
}

TEST(AlphaList, OfEqualNumbersIsTheNumber) {
  const Synthetic truth;
  Instance listed("lda", {"topics=5", "alpha=[0.3, 0.3, 0.3, 0.3, 0.3]"}, shape_of(64));
  Instance single("lda", {"topics=5", "alpha=0.3"}, shape_of(64));
  const Minibatch minibatch = truth.documents(0, 30);
  EXPECT_TRUE(at::equal(listed.accumulate(minibatch).rows.values, single.accumulate(minibatch).rows.values));
}

TEST(AlphaList, OfAnotherLengthIsRefused) {
  for (const char* list : {"[0.1, 0.2, 0.3]", "[0.1]", "[1, 1, 1, 1, 1, 1]"}) {
    try {
      Instance("lda", {"topics=5", std::string("alpha=") + list}, shape_of(64));
      ADD_FAILURE() << list;
    } catch (const svi::Error& error) {
      EXPECT_EQ(error.code(), svi::ExitCode::bad_config);
      const std::string text = error.what();
      const auto found = std::to_string(std::count(list, list + std::string(list).size(), ',') + 1);
      EXPECT_NE(text.find("model.alpha is a list of " + found + " numbers; expected 5"), std::string::npos)
          << text;
    }
  }
}

class Eta : public ::testing::TestWithParam<bool> {
 protected:
  std::vector<WordPrior> list() const { return GetParam() ? some_priors : std::vector<WordPrior>{}; }
};

// Newton's method against a search that knows nothing but the bound.
TEST_P(Eta, LearnedMaximisesTheBound) {
  const WordPriors word_priors(list(), vocabulary, topics);
  for (const double shape : {0.03, 0.3, 5.0}) {
    Tensor lambda = at::empty({vocabulary, topics}, at::kDouble);
    for (std::int64_t i = 0; i < lambda.numel(); ++i) {
      const double u = svi::Philox(3).uniform(svi::Purpose::test_data, 0, 0, static_cast<std::uint64_t>(i));
      lambda.view(-1)[i] = shape * std::exp(3 * u);
    }
    svi::ParameterSet parameters = svi::test::lambda_parameters(
        vocabulary, topics, std::vector<float>(vocabulary * topics, 1), at::kDouble);
    svi::test::set_lambda(parameters, lambda);
    const double total = svi::lda::log_beta_total(svi::lda::Topics(parameters));
    EXPECT_NEAR(total, expected_log_beta(lambda).sum().item<double>(), 1e-9 * std::fabs(total));
    const double expected = best_eta(lambda, list());
    for (const double start : {0.01, expected, 50.0}) {
      EXPECT_NEAR(svi::lda::fit_eta(total, vocabulary, word_priors, start), expected, 1e-6 * expected)
          << shape;
    }
  }
}

TEST_P(Eta, DivergenceOfTopicsIsThatOfTheWholePrior) {
  const Synthetic truth;
  Instance instance("lda", {"topics=5", "eta=0.2"}, shape_of(64, list()), at::kDouble);
  instance.step(*robbins_monro(2, 0.7), truth.documents(0, 30));
  const auto& lda = dynamic_cast<const svi::lda::Lda&>(*instance.model);
  const Tensor prior = dense_priors(list(), 0.2);
  const double expected = divergence_of(lambda_of(instance.state.parameters), prior);
  EXPECT_NEAR(lda.topics_kl(instance.state.parameters), expected, 1e-9 * expected);
  const Tensor words = lda.priors(instance.state.parameters).words;
  EXPECT_TRUE(at::equal(words.expand({words.dim() == 1 ? topics : words.size(0), vocabulary}), prior.t()));
}

// λ after 130 steps of small minibatches against the recursion with the full matrix of priors; η learned at
// steps 64 and 128 from λ as it then is.
TEST_P(Eta, StepsAreThoseOfTheDenseRecursion) {
  const Synthetic truth;
  const auto rule = robbins_monro(2, 0.7);
  for (const std::string setting : {"0.05", "learned"}) {
    Instance lda("lda", {"topics=5", "alpha=0.3", "eta=" + setting}, shape_of(400, list()), at::kDouble);
    Instance plain("lda", {"topics=5", "alpha=0.3", "eta=" + setting}, shape_of(400), at::kDouble);
    double eta = setting == "learned" ? 0.01 : 0.05;
    Tensor lambda = lambda_of(plain.state.parameters) + dense_priors(list(), 0);
    EXPECT_LT((lambda_of(lda.state.parameters) - lambda).abs().max().item<double>(), 1e-12);
    std::int64_t absences = 0;  // of words with priors of their own
    for (std::int64_t t = 0; t < 130; ++t) {
      const Minibatch minibatch = truth.documents(3 * t, 3 * t + 3);
      svi::WordSet occurring(vocabulary);
      occurring.add(std::get<CountRows>(minibatch.rows));
      const std::vector<std::int32_t> words = occurring.words();
      for (const std::int32_t word : lda.model->rows_of_every_step())
        absences += std::ranges::binary_search(words, word) ? 0 : 1;
      occurring.add(lda.model->rows_of_every_step());
      svi::Contribution total(lda.model->parameter_shapes(), at::kDouble, lda.model->terms());
      total.clear(occurring.words());
      lda.model->accumulate(lda.state.parameters, minibatch, {lda.noise, lda.state.previous_means}, total);
      const Tensor target = dense_priors(list(), eta) + 400.0 / 3 * svi::test::dense(total.rows, vocabulary);
      const double rho = rule->rate(t);
      lambda = (1 - rho) * lambda + rho * target;
      lda.model->to_direction(lda.state.parameters, total);
      EXPECT_LT((svi::test::dense(total.rows, vocabulary) - target).abs().max().item<double>(), 1e-9);
      rule->update(lda.state, total);
      lda.state.step += 1;
      lda.model->derive(lda.state.parameters, lda.state.step);
      if (setting == "learned" && lda.state.step % 64 == 0) eta = best_eta(lambda, list());
      if (setting != "learned") continue;
      EXPECT_NEAR(lda.state.parameters["eta"].item<double>(), eta, 1e-6 * eta) << t;
      eta = lda.state.parameters["eta"].item<double>();
    }
    EXPECT_NE(eta, 0.01);
    const double largest = lambda.max().item<double>();
    EXPECT_LT((lambda_of(lda.state.parameters) - lambda).abs().max().item<double>(), 1e-10 * largest);
    if (GetParam()) {
      EXPECT_GT(absences, 100);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Priors, Eta, ::testing::Bool(),
                         [](const auto& instance) { return instance.param ? "WithPriorsOfWords" : "Alone"; });

TEST(PassesOverTopics, BitsDoNotDependOnThreads) {
  const Synthetic truth;
  Instance lda("lda", {"topics=5"}, {.training_rows = 64, .feature_shape = {5000}});
  const double of_one = svi::lda::log_beta_total(svi::lda::Topics(lda.state.parameters));
  const auto divergence = [&] {
    return dynamic_cast<const svi::lda::Lda&>(*lda.model).topics_kl(lda.state.parameters);
  };
  const double divergence_of_one = divergence();
  for (const int threads : {2, 3, 4}) {
    svi::set_parallel_threads(threads);
    EXPECT_EQ(svi::lda::log_beta_total(svi::lda::Topics(lda.state.parameters)), of_one) << threads;
    EXPECT_EQ(divergence(), divergence_of_one) << threads;
    svi::set_parallel_threads(1);
  }
  EXPECT_LT(of_one, 0);
  // In parts of words as in one piece.
  const Tensor lambda = lambda_of(lda.state.parameters);
  const double expected = divergence_of(lambda, at::full_like(lambda, 0.01));
  EXPECT_NEAR(divergence_of_one, expected, 1e-9 * expected);
}

// The held-out score at each η of the grid, with λ moved by hand.
TEST(EtaHoldout, IsTheBestOfTheGrid) {
  const Synthetic truth;
  const auto rule = robbins_monro(2, 0.7);
  Instance lda("lda", {"topics=5", "alpha=0.3", "eta=holdout"}, shape_of(60));
  for (std::int64_t t = 0; t < 40; ++t) lda.step(*rule, truth.documents(20 * (t % 3), 20 * (t % 3) + 20));
  svi::ParameterSet& parameters = lda.state.parameters;
  const Minibatch held_out = truth.documents(2000, 2400);
  int scores = 0;
  const auto score = [&] {
    ++scores;
    const auto evaluation = lda.model->evaluation(parameters, svi::EvaluationRows::held_out, 1);
    svi::Sums sums(evaluation->layout());
    evaluation->add(held_out, sums);
    return evaluation->finish(sums).values.at(lda.model->selection_metric());
  };
  for (int round = 0; round < 4; ++round) {
    const double before = parameters.lazy("lambda").offset;
    EXPECT_EQ(static_cast<float>(before), parameters["eta"].item<float>());
    const Tensor data = parameters["lambda"].clone();
    double best = before;
    double largest = -std::numeric_limits<double>::infinity();
    for (int power = -3; power <= 3; ++power) {
      parameters.lazy("lambda").offset = static_cast<float>(before * std::pow(1.5, power));
      const double value = score();
      if (value <= largest) continue;
      largest = value;
      best = parameters.lazy("lambda").offset;
    }
    parameters.lazy("lambda").offset = before;
    scores = 0;
    lda.model->tune(parameters, score);
    EXPECT_NEAR(parameters.lazy("lambda").offset, best, 1e-6 * best) << round;
    EXPECT_EQ(parameters["eta"].item<double>(), parameters.lazy("lambda").offset);
    EXPECT_NEAR(score(), largest, 1e-6);
    EXPECT_TRUE(at::equal(parameters["lambda"], data));
    EXPECT_LE(scores, 6);
    if (round == 0) {
      EXPECT_NE(best, before) << "the test would pass on a search that never moves";
    }
  }
  // From then on η is what the search found.
  const double found = parameters.lazy("lambda").offset;
  lda.step(*rule, truth.documents(0, 20));
  EXPECT_NEAR(parameters.lazy("lambda").offset, found, 1e-12);
  EXPECT_EQ(lda.model->training_metrics(parameters, lda.accumulate(held_out).terms).values.at("eta"), found);
}

TEST(EtaHoldout, SearchStaysWithinItsRangeAndRoundsOfThree) {
  using svi::lda::better_eta;
  const auto peak_at = [](double peak) {
    return [peak](double eta) { return -std::fabs(std::log(eta / peak)); };
  };
  EXPECT_EQ(better_eta(0.01, peak_at(0.01)), 0.01);
  EXPECT_NEAR(better_eta(0.01, peak_at(0.016)), 0.015, 1e-12);
  EXPECT_NEAR(better_eta(0.01, peak_at(0.006)), 0.01 / 1.5, 1e-12);
  EXPECT_NEAR(better_eta(0.01, peak_at(5)), 0.01 * 1.5 * 1.5 * 1.5, 1e-12);
  EXPECT_EQ(better_eta(2e-4, peak_at(1e-9)), 1e-4);
  EXPECT_EQ(better_eta(5, peak_at(1e9)), 10);
  EXPECT_EQ(better_eta(10, peak_at(1e9)), 10);
  const double no_number = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(better_eta(0.3, [&](double eta) { return eta == 0.3 ? 0 : no_number; }), 0.3);
  EXPECT_EQ(better_eta(0.3, [&](double) { return no_number; }), 0.3);
}

TEST(WordPriorsOfLda, MustBeOfItsWordsAndTopics) {
  for (const WordPrior& prior : std::vector<WordPrior>{
           {100, 0, 1}, {-1, 0, 1}, {0, 5, 1}, {0, -2, 1}, {0, 0, 0}, {0, 0, -1}, {0, 0, std::nan("")}}) {
    EXPECT_THROW(Instance("lda", {"topics=5"}, shape_of(64, {prior})), svi::Error);
  }
  Instance lda("lda", {"topics=5"}, shape_of(64, some_priors));
  EXPECT_EQ(lda.model->rows_of_every_step(), (std::vector<std::int32_t>{3, 47, 60, 99}));
  svi::Contribution total(lda.model->parameter_shapes(), at::kFloat, lda.model->terms());
  total.clear({3, 47, 99});
  total.terms.scalar("rows") = 1;
  EXPECT_THROW(lda.model->to_direction(lda.state.parameters, total), svi::Error);
}

// Seeded topics take the words of their seeds along: 20 words each, of which one was given.
TEST(WordPriorsOfLda, SeedsDecideWhichTopicIsWhich) {
  const Synthetic truth;
  std::vector<WordPrior> seeds;
  for (std::int32_t k = 0; k < 5; ++k) {
    for (std::int32_t n = 0; n < 3; ++n) seeds.push_back({20 * k + n, (k + 2) % 5, 50});
  }
  Instance lda("lda", {"topics=5", "alpha=0.3", "eta=0.05"}, shape_of(2000, seeds));
  const auto rule = robbins_monro(2, 0.7);
  for (std::int64_t t = 0; t < 16; ++t) lda.step(*rule, truth.documents(125 * t, 125 * t + 125));
  const Tensor beta = dynamic_cast<const svi::TopicModel&>(*lda.model).topics(lda.state.parameters);
  for (std::int64_t k = 0; k < 5; ++k) {
    EXPECT_GT(beta[(k + 2) % 5].slice(0, 20 * k, 20 * k + 20).sum().item<double>(), 0.6) << k;
  }
}

}  // namespace
