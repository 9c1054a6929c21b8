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
using svi::Tensor;
using Inference = svi::lda::Inference<float>;
using svi::lda::ReferenceFit;
using svi::test::Instance;

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
    return {.ids = {11, 12}, .rows = CountRows{{0, 2, 4}, {0, 2, 1, 3}, {2, 1, 1000, 1}}};
  }
  static Minibatch second_document() { return {.ids = {12}, .rows = CountRows{{0, 2}, {1, 3}, {1000, 1}}}; }

  std::vector<double> totals() const {
    const Tensor sums = lambda.sum(0, false, at::kDouble);
    return {sums.data_ptr<double>(), sums.data_ptr<double>() + topics};
  }

  // The second document by the reference, φ in logarithms throughout.
  ReferenceFit reference() const {
    std::vector<double> log_beta;
    for (const std::int64_t word : {1, 3}) {
      for (std::int64_t k = 0; k < topics; ++k) {
        log_beta.push_back(svi::math::digamma(lambda[word][k].item<double>()) -
                           svi::math::digamma(totals()[static_cast<std::size_t>(k)]));
      }
    }
    return svi::lda::fit_reference(log_beta, std::vector<float>{1000, 1}, std::vector<double>(topics, 1),
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

  svi::lda::EStep<float> single(inference.kernel(), RareWord::topics, rare.options);
  svi::AlignedBuffer<float> theta;
  theta.resize(208);
  EXPECT_FALSE(single.fit(inference.beta(), document, theta.data()));
  const ReferenceFit reference = rare.reference();
  double farthest = 0;
  for (std::size_t k = 0; k < 200; ++k)
    farthest = std::max(farthest, std::fabs(single.gamma()[k] - reference.gamma[k]));
  EXPECT_GT(farthest, 0.1) << "float32 would do";

  svi::lda::DocumentFit<float> fit(inference, rare.options);
  EXPECT_NEAR(fit.fit_bound(document), reference.bound, 1e-9);
  EXPECT_EQ(fit.iterations(), reference.iterations);
  for (std::size_t k = 0; k < 200; ++k)
    EXPECT_NEAR(fit.gamma()[k], reference.gamma[k], 6e-8 * reference.gamma[k]);
}

TEST(Float64Fallback, ReachesStatisticsAndBoundOfTraining) {
  RareWord rare;
  const ReferenceFit reference = rare.reference();
  const svi::Contribution both = rare.model.accumulate(RareWord::documents());
  Minibatch first{.ids = {11}, .rows = CountRows{{0, 2}, {0, 2}, {2, 1}}};
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
  EXPECT_NEAR(sums.scalar("bound"), rare.reference().bound, 1e-9);
}

}  // namespace
