#include "models/lda_inference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/instance.hpp"
#include "models/lambda.hpp"
#include "models/lda_reference.hpp"
#include "svi/math/special.hpp"

namespace {

using svi::CountRows;
using svi::Minibatch;
using svi::Philox;
using svi::Tensor;
using Inference = svi::lda::Inference<float>;
using svi::lda::ReferenceFit;
using svi::test::Instance;

std::vector<float> start_of(std::int64_t topics, std::uint64_t seed, std::int64_t step,
                            std::int64_t document) {
  std::vector<float> start(static_cast<std::size_t>(topics));
  svi::lda::start_document(Philox(seed), step, document, start);
  return start;
}

// 40,000 numbers: their mean has the standard error 0.1/√40,000, their variance that of a uniform
// distribution, 0.01·√(0.8/40,000). Five of them are passed by chance once in 1.7 million keys.
TEST(InferenceStart, HasMeanOneAndTheVarianceOfTheGamma) {
  double sum = 0;
  double squares = 0;
  float farthest = 0;
  for (std::int64_t document = 0; document < 1000; ++document) {
    for (const float gamma : start_of(40, 1, 3, document)) {
      const double difference = gamma - 1;
      sum += difference;
      squares += difference * difference;
      farthest = std::max(farthest, std::fabs(gamma - 1));
    }
  }
  EXPECT_NEAR(sum / 40000, 0, 5 * 0.1 / 200);
  EXPECT_NEAR(squares / 40000, 0.01, 5 * 0.01 * std::sqrt(0.8 / 40000));
  EXPECT_LT(farthest, std::sqrt(3.0) / 10 + 1e-7);  // half of an interval of length √12/10
}

TEST(InferenceStart, DependsOnSeedStepAndDocumentAlone) {
  const std::vector<float> start = start_of(40, 1, 3, 5);
  EXPECT_NE(start_of(40, 2, 3, 5), start);
  EXPECT_NE(start_of(40, 1, 4, 5), start);
  EXPECT_NE(start_of(40, 1, 3, 6), start);
  EXPECT_EQ(start_of(40, 1, 3, 5), start);  // after others
}

// A word that 199 topics share evenly, once in a document of 1,000 words of the last topic. After an
// iteration each of the 199 has γ ≈ 0.001 + 1/199 and exp(ψ(γ) − ψ(1000)) ≈ exp(−174); for the last topic the
// word's E[ln β] is 131 below the others'. float32 holds neither, not even 2^45 times as large, so in it the
// word would stay with the 199; the last topic has it.
struct RareWord {
  static constexpr std::int64_t topics = 200;
  static constexpr std::int64_t vocabulary = 4;

  RareWord()
      : model("lda", {"topics=200", "alpha=0.001", "eta=0.01"},
              {.training_rows = 2, .feature_shape = {vocabulary}}) {
    lambda.fill_(1.0F);
    lambda[1].fill_(0.01F);
    lambda[1][199] = 1000.0F;
    lambda[3][199] = 0.008F;
    svi::test::set_lambda(model.state.parameters, lambda);
  }

  // An ordinary document of words 0 and 2, then the one in question.
  static Minibatch documents() {
    return {.step = 5, .ids = {11, 12}, .rows = CountRows{{0, 2, 4}, {0, 2, 1, 3}, {2, 1, 1000, 1}}};
  }
  static Minibatch second_document() {
    return {.step = 5, .ids = {12}, .rows = CountRows{{0, 2}, {1, 3}, {1000, 1}}};
  }

  std::vector<double> totals() const {
    const Tensor sums = lambda.sum(0, false, at::kDouble);
    return {sums.data_ptr<double>(), sums.data_ptr<double>() + topics};
  }

  // The second document by the reference, φ in logarithms throughout.
  ReferenceFit reference(std::uint64_t seed) const {
    std::vector<double> log_beta;
    for (const std::int64_t word : {1, 3}) {
      for (std::int64_t k = 0; k < topics; ++k) {
        log_beta.push_back(svi::math::digamma(lambda[word][k].item<double>()) -
                           svi::math::digamma(totals()[static_cast<std::size_t>(k)]));
      }
    }
    return svi::lda::fit_reference(log_beta, std::vector<float>{1000, 1}, start_of(topics, seed, 5, 12),
                                   options);
  }

  svi::lda::EStepOptions options{.alpha = 0.001};
  Instance model;
  Tensor lambda = at::empty({vocabulary, topics});
};

TEST(Float64Fallback, IsTakenWhereFloat32IsWrong) {
  const RareWord rare;
  const Minibatch minibatch = RareWord::documents();
  const auto& rows = std::get<CountRows>(minibatch.rows);
  Inference inference(RareWord::vocabulary);
  inference.prepare(svi::lda::Topics(rare.model.state.parameters), svi::lda::Estimator::variational, rows);
  const svi::lda::Document document = inference.document(1);
  const std::vector<float> start = start_of(RareWord::topics, 7, 5, 12);

  svi::lda::EStep<float> single(inference.kernel(), RareWord::topics, rare.options);
  svi::AlignedBuffer<float> theta;
  theta.resize(208);
  EXPECT_FALSE(single.fit(inference.beta(), document, start, theta.data()));
  const ReferenceFit reference = rare.reference(7);
  double farthest = 0;
  for (std::size_t k = 0; k < 200; ++k)
    farthest = std::max(farthest, std::fabs(single.gamma()[k] - reference.gamma[k]));
  EXPECT_GT(farthest, 0.1) << "float32 would do";

  svi::lda::DocumentFit<float> fit(inference, rare.options);
  EXPECT_NEAR(fit.fit_bound(document, start), reference.bound, 1e-9);
  EXPECT_EQ(fit.iterations(), reference.iterations);
  for (std::size_t k = 0; k < 200; ++k)
    EXPECT_NEAR(fit.gamma()[k], reference.gamma[k], 6e-8 * reference.gamma[k]);
}

TEST(Float64Fallback, ReachesStatisticsAndBoundOfTraining) {
  RareWord rare;
  const ReferenceFit reference = rare.reference(rare.model.noise.seed());
  const svi::Contribution both = rare.model.accumulate(RareWord::documents());
  Minibatch first{.step = 5, .ids = {11}, .rows = CountRows{{0, 2}, {0, 2}, {2, 1}}};
  const svi::Contribution ordinary = rare.model.accumulate(first);
  EXPECT_NEAR(both.terms.scalar("bound") - ordinary.terms.scalar("bound"), reference.bound, 1e-9);
  EXPECT_EQ(both.terms.scalar("iterations") - ordinary.terms.scalar("iterations"), reference.iterations);
  const Tensor counts = both.rows.values;
  for (std::int64_t k = 0; k < RareWord::topics; ++k) {
    const auto i = static_cast<std::size_t>(k);
    EXPECT_NEAR(counts[1][k].item<float>(), reference.counts[i], 6e-8 * 1000) << k;
    EXPECT_NEAR(counts[3][k].item<float>(), reference.counts[200 + i], 6e-8) << k;
  }
  EXPECT_TRUE(at::equal(counts[0], ordinary.rows.values[0]));
  EXPECT_TRUE(at::equal(counts[2], ordinary.rows.values[2]));
}

TEST(Float64Fallback, ReachesTheHeldOutBound) {
  RareWord rare;
  const auto evaluation =
      rare.model.model->evaluation(rare.model.state.parameters, svi::EvaluationRows::held_out, 3);
  svi::Sums sums(evaluation->layout());
  evaluation->add(RareWord::second_document(), sums);
  EXPECT_NEAR(sums.scalar("bound"), rare.reference(3).bound, 1e-9);
}

}  // namespace
