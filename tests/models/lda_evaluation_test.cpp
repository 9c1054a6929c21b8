// The figures of LDA on held-out documents and of its topics.
#include "models/lda.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "models/instance.hpp"
#include "models/lambda.hpp"
#include "models/synthetic_topics.hpp"
#include "svi/base/error.hpp"
#include "svi/core/completion.hpp"

namespace svi::test {
namespace {

Sums summed(Instance& lda, EvaluationRows which, const Minibatch& rows) {
  const auto evaluation = lda.model->evaluation(lda.state.parameters, which, 1);
  Sums sums(evaluation->layout());
  evaluation->add(rows, sums);
  return sums;
}

Metrics evaluated(Instance& lda, EvaluationRows which, const Minibatch& rows) {
  const Sums sums = summed(lda, which, rows);
  return lda.model->evaluation(lda.state.parameters, which, 1)->finish(sums);
}

// Document completion and the bound again, in plain double arithmetic over whole vectors.
struct PlainEvaluation {
  explicit PlainEvaluation(const Tensor& lambda)
      : log_beta(at::digamma(lambda) - at::digamma(lambda.sum(0))), mean_beta(lambda / lambda.sum(0)) {}

  // α = 1: one optimum, whatever the start.
  Tensor fit(const Tensor& counts) const {
    Tensor gamma = at::ones({log_beta.size(1)}, at::kDouble);
    for (int t = 0; t < 500; ++t)
      gamma = 1 + at::mv(at::softmax(at::digamma(gamma) + log_beta, 1).t(), counts);
    return gamma;
  }

  void add(const Tensor& counts, const Tensor& observed) {
    const Tensor gamma = fit(counts);
    const Tensor log_theta = at::digamma(gamma) - at::digamma(gamma.sum());
    // KL(Dirichlet(γ) ‖ Dirichlet(1)), where Γ(1) = 1.
    const Tensor divergence = at::lgamma(gamma.sum()) - at::lgamma(gamma).sum() +
                              ((gamma - 1) * log_theta).sum() -
                              std::lgamma(static_cast<double>(gamma.numel()));
    bound += ((counts * at::logsumexp(log_beta + log_theta, 1)).sum() - divergence).item<double>();
    tokens += counts.sum().item<double>();
    const Tensor theta = fit(observed);
    const Tensor rest = counts - observed;
    const double of_rest = (rest * at::log(at::mv(mean_beta, theta / theta.sum()))).sum().item<double>();
    const double rest_tokens = rest.sum().item<double>();
    log_likelihood += of_rest;
    predicted += rest_tokens;
    if (rest_tokens == 0) return;
    completed += 1;
    per_word += of_rest / rest_tokens;
  }

  Tensor log_beta, mean_beta;
  double bound = 0, tokens = 0, log_likelihood = 0, predicted = 0, completed = 0, per_word = 0;
};

// The observed occurrences of a document, by the definitions.
Tensor observed_by_definition(Completion completion, std::int64_t id, const Tensor& counts) {
  Tensor observed = at::zeros_like(counts);
  const auto tokens = static_cast<std::int64_t>(counts.sum().item<double>());
  std::int64_t i = 0;
  for (std::int64_t word = 0; word < counts.numel(); ++word) {
    const auto count = static_cast<std::int64_t>(counts[word].item<double>());
    for (std::int64_t n = 0; n < count; ++n, ++i) {
      bool is_observed = word % 2 == 0;
      // Token i from 0 of L, as ETM's scripts/data_20ng.py has it; it has no documents of one token.
      if (completion == Completion::etm)
        is_observed = tokens == 1 || static_cast<double>(i) <= static_cast<double>(tokens) / 2.0 - 1;
      if (completion == Completion::tokens) break;
      observed[word] += is_observed ? 1 : 0;
    }
    if (completion == Completion::tokens)
      observed[word] = static_cast<double>(observed_occurrences(9, id, word, count));
  }
  return observed;
}

class Completions : public ::testing::TestWithParam<Completion> {};

TEST_P(Completions, AreTheirDefinition) {
  const Synthetic truth;
  Minibatch held_out = truth.documents(5, 12);
  // One document of a single token, and one without any.
  auto& rows = std::get<CountRows>(held_out.rows);
  rows.words.push_back(31);
  rows.counts.push_back(1);
  rows.starts.push_back(std::ssize(rows.words));
  rows.starts.push_back(std::ssize(rows.words));
  held_out.ids.insert(held_out.ids.end(), {12, 13});
  Instance lda("lda", {"topics=3", "alpha=1", "tolerance=1e-6", "max_iterations=1000"},
               {.training_rows = 64,
                .feature_shape = {Synthetic::vocabulary},
                .split_seed = 9,
                .completion = GetParam()});
  lda.step(*robbins_monro(1, 0), truth.documents(0, 64));

  PlainEvaluation plain(lambda_of(lda.state.parameters));
  for (std::size_t d = 0; d < held_out.ids.size(); ++d) {
    Tensor counts = at::zeros({Synthetic::vocabulary}, at::kDouble);
    for (auto i = static_cast<std::size_t>(rows.starts[d]); i < static_cast<std::size_t>(rows.starts[d + 1]);
         ++i)
      counts[rows.words[i]] = static_cast<double>(rows.counts[i]);
    plain.add(counts, observed_by_definition(GetParam(), held_out.ids[d], counts));
  }
  const Sums sums = summed(lda, EvaluationRows::held_out, held_out);
  EXPECT_EQ(sums.scalar("tokens"), 7 * 50 + 1);
  EXPECT_EQ(sums.scalar("predicted_tokens"), plain.predicted);
  EXPECT_EQ(sums.scalar("completed_rows"), plain.completed);
  EXPECT_GT(plain.predicted, 100);
  EXPECT_LT(plain.predicted, 7 * 50 - 100);
  const Metrics metrics = evaluated(lda, EvaluationRows::held_out, held_out);
  // γ, about 10, and so each probability is right to about 1e-6 of itself: a few float32 digits of 6e-8.
  const double log_likelihood = plain.log_likelihood / plain.predicted;
  EXPECT_NEAR(metrics.values.at("log_likelihood_per_word"), log_likelihood, 1e-6 * std::fabs(log_likelihood));
  EXPECT_NEAR(std::log(metrics.values.at("perplexity")), -log_likelihood, 1e-6 * std::fabs(log_likelihood));
  // 50 tokens a document, the logarithm of each from four float32 digammas right to about 1e-7.
  EXPECT_NEAR(metrics.values.at("bound_per_word"), plain.bound / plain.tokens, 4e-7 * 10);
  EXPECT_NEAR(std::log(metrics.values.at("bound_perplexity")), -plain.bound / plain.tokens, 4e-7 * 10);
  EXPECT_EQ(metrics.values.contains("etm_perplexity"), GetParam() == Completion::etm);
  if (GetParam() == Completion::etm) {
    const double mean = plain.per_word / plain.completed;
    EXPECT_NEAR(std::log(metrics.values.at("etm_perplexity")), -mean, 1e-6 * std::fabs(mean));
    EXPECT_EQ(plain.completed, 7);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Completions,
                         ::testing::Values(Completion::tokens, Completion::etm, Completion::even_odd),
                         [](const auto& name) {
                           return completion_names[static_cast<std::size_t>(name.param)];
                         });

TEST(Completion, NamesAreThoseOfTheOption) {
  for (std::size_t i = 0; i < completion_names.size(); ++i)
    EXPECT_EQ(static_cast<std::size_t>(completion_named(completion_names[i])), i);
  EXPECT_THROW(completion_named("halves"), Error);
}

// The bound over documents has the KL of the topics, per document of the training data; per word it has not.
TEST(LdaEvaluation, BoundPerWordLeavesOutTheTopics) {
  const Synthetic truth;
  Instance lda("lda", {"topics=3"}, {.training_rows = 64, .feature_shape = {Synthetic::vocabulary}});
  const Metrics metrics = evaluated(lda, EvaluationRows::held_out, truth.documents(0, 8));
  const double divergence = dynamic_cast<lda::Lda&>(*lda.model).topics_kl(lda.state.parameters);
  EXPECT_GT(divergence, 1);
  EXPECT_NEAR(metrics.values.at("elbo"), 50 * metrics.values.at("bound_per_word") - divergence / 64,
              1e-9 * divergence);
}

// Two topics of two likely words each; co-occurrences counted by hand.
TEST(TopicQuality, ByHand) {
  Instance lda("lda", {"topics=2"}, {.training_rows = 4, .feature_shape = {2}});
  set_lambda(lda.state.parameters, at::tensor({9.0F, 1.0F, 1.0F, 4.0F}).view({2, 2}));
  // Documents {0, 1}, {0}, {0, 1}, {}: p₀ = ¾, p₁ = ½, p₀₁ = ½.
  Minibatch documents;
  documents.ids = {0, 1, 2, 3};
  documents.rows = CountRows{{0, 2, 3, 5, 5}, {0, 1, 0, 0, 1}, {1, 2, 1, 3, 1}};
  const Metrics metrics = evaluated(lda, EvaluationRows::training, documents);
  EXPECT_NEAR(metrics.values.at("npmi"), std::log(0.5 / (0.75 * 0.5)) / -std::log(0.5), 1e-12);
  // Topic 0 begins with word 0, topic 1 with word 1.
  EXPECT_NEAR(metrics.vectors.at("u_mass_per_topic")[0], std::log(0.5 / 0.75), 1e-11);
  EXPECT_NEAR(metrics.vectors.at("u_mass_per_topic")[1], std::log(0.5 / 0.5), 1e-11);
  EXPECT_NEAR(metrics.values.at("u_mass"), std::log(0.5 / 0.75) / 2, 1e-11);
  EXPECT_NEAR(metrics.values.at("topic_diversity"), 0.5, 1e-12);  // both words in both topics
  // β₀ = (0.9, 0.1), β₁ = (0.2, 0.8): word 0 is topic 0's to 9/11, word 1 to 1/9.
  EXPECT_NEAR(metrics.values.at("topic_exclusivity"), (9.0 / 11 + 1.0 / 9 + 8.0 / 9 + 2.0 / 11) / 4, 1e-12);
}

// gensim 4.4.0's CoherenceModel(topn=10) on 40 documents over 13 words; document d holds word v where
// ((v + 2)d² + 5v² + 3d) mod 13 < 7. Topic 0 is the words 0 … 9 and topic 1 the words 12 … 3, the likeliest
// first.
//
// Our npmi is its c_npmi where its windows (window_size=100) are whole documents, every document holds a word
// of the topics (else it does not count it), and each pair meets somewhere (then its 1e-12 is lost in
// rounding, whereas pairs that never meet count −1 here and a little more there). u_mass is the same always.
class Gensim : public ::testing::Test {
 protected:
  static constexpr std::int32_t vocabulary = 13;

  Gensim() : lda("lda", {"topics=2"}, {.training_rows = 40, .feature_shape = {vocabulary}}) {
    Tensor lambda = at::empty({vocabulary, 2}, at::kFloat);
    for (std::int64_t v = 0; v < vocabulary; ++v) {
      lambda[v][0] = static_cast<float>(20 - v);
      lambda[v][1] = static_cast<float>(2 + v);
    }
    set_lambda(lda.state.parameters, lambda);
  }

  template <typename Leaves>
  Metrics of_documents(const Leaves& leaves) {
    Minibatch documents;
    CountRows rows;
    for (std::int32_t d = 0; d < 40; ++d) {
      const auto is_in = [d](std::int32_t v) { return ((v + 2) * d * d + 5 * v * v + 3 * d) % 13 < 7; };
      documents.ids.push_back(d);
      for (std::int32_t v = 0; v < vocabulary; ++v) {
        if (!is_in(v) || leaves(v, is_in(9))) continue;
        rows.words.push_back(v);
        rows.counts.push_back(1);
      }
      rows.starts.push_back(std::ssize(rows.words));
    }
    documents.rows = std::move(rows);
    return evaluated(lda, EvaluationRows::training, documents);
  }

  Instance lda;
};

TEST_F(Gensim, AgreesWhereEachPairMeets) {
  const Metrics metrics = of_documents([](std::int32_t, bool) { return false; });
  EXPECT_NEAR(metrics.vectors.at("u_mass_per_topic")[0], -0.592376371550, 1e-6);
  EXPECT_NEAR(metrics.vectors.at("u_mass_per_topic")[1], -0.703142950580, 1e-6);
  EXPECT_NEAR(metrics.values.at("u_mass"), -0.647759661065, 1e-6);
  EXPECT_NEAR(metrics.vectors.at("npmi_per_topic")[0], 0.025954997644, 1e-6);
  EXPECT_NEAR(metrics.vectors.at("npmi_per_topic")[1], -0.002524706886, 1e-6);
  EXPECT_NEAR(metrics.values.at("npmi"), 0.011715145379, 1e-6);
}

// Word 0 leaves the documents that hold word 9.
TEST_F(Gensim, AgreesWhereAPairNeverMeets) {
  const Metrics metrics = of_documents([](std::int32_t v, bool has_nine) { return v == 0 && has_nine; });
  EXPECT_NEAR(metrics.vectors.at("u_mass_per_topic")[0], -3.261965783734, 1e-6);
  EXPECT_NEAR(metrics.vectors.at("u_mass_per_topic")[1], -0.703142950580, 1e-6);
}

TEST_F(Gensim, AgreesWhereAWordIsInNoDocument) {
  const Metrics metrics = of_documents([](std::int32_t v, bool) { return v == 9; });
  EXPECT_NEAR(metrics.vectors.at("u_mass_per_topic")[0], -5.951102930636, 1e-6);
  EXPECT_NEAR(metrics.vectors.at("u_mass_per_topic")[1], -2.398016614084, 1e-6);
}

// The sums are whole numbers, so that any cut of the documents among ranks gives the same bits.
TEST(TopicQuality, IsTheSameForAnyCutOfTheDocuments) {
  const Synthetic truth;
  Instance lda("lda", {"topics=5"}, {.training_rows = 90, .feature_shape = {Synthetic::vocabulary}});
  const Metrics whole = evaluated(lda, EvaluationRows::training, truth.documents(0, 90));
  const auto evaluation = lda.model->evaluation(lda.state.parameters, EvaluationRows::training, 1);
  Sums total(evaluation->layout());
  for (const auto& [first, last] : {std::pair{60, 90}, {0, 0}, {0, 7}, {7, 60}}) {
    Sums part(evaluation->layout());
    evaluation->add(truth.documents(first, last), part);
    for (std::size_t i = 0; i < part.flat().size(); ++i) total.flat()[i] += part.flat()[i];
  }
  const Metrics summed = evaluation->finish(total);
  EXPECT_EQ(summed.values, whole.values);
  EXPECT_EQ(summed.vectors, whole.vectors);
  EXPECT_NE(whole.values.at("u_mass"), 0);
}

}  // namespace
}  // namespace svi::test
