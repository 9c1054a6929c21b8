// Topic models whose processes have memory in common: statistics are those of processes apart, to the bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "models/instance.hpp"
#include "models/lambda.hpp"
#include "models/lda_shards.hpp"
#include "models/synthetic_topics.hpp"
#include "support/sharing_threads.hpp"
#include "svi/core/parallel.hpp"

namespace {

using svi::Contribution;
using svi::CountRows;
using svi::Minibatch;
using svi::SharedWork;
using svi::Tensor;
using svi::lda::Shard;
using svi::lda::Shards;
using svi::test::Instance;
using svi::test::run_sharing;

// So many that each of three processes has a part of them.
constexpr std::int64_t vocabulary = 900;

// Documents of `each`, one process after another; the synthetic words spread over the vocabulary, other words each
// document by another step, and the last word in one document alone.
std::vector<Minibatch> minibatches_of(const std::vector<std::int64_t>& each) {
  const svi::test::Synthetic truth;
  std::vector<Minibatch> minibatches;
  std::int64_t first = 0;
  for (const std::int64_t count : each) {
    Minibatch minibatch = truth.documents(first, first + count);
    auto& rows = std::get<CountRows>(minibatch.rows);
    for (std::int64_t b = 0; b < count; ++b) {
      const auto begin = rows.words.begin() + rows.starts[static_cast<std::size_t>(b)];
      const auto end = rows.words.begin() + rows.starts[static_cast<std::size_t>(b) + 1];
      for (auto word = begin; word != end; ++word) *word = static_cast<std::int32_t>(8 * *word + (first + b) % 7);
    }
    if (!rows.words.empty() && first == 0) rows.words.back() = vocabulary - 1;
    minibatches.push_back(std::move(minibatch));
    first += count;
  }
  return minibatches;
}

struct Totals {
  Tensor rows;
  std::vector<double> terms;
};

// What an all-reduce of processes without memory in common gives: sums in the order of ranks.
Totals apart(Instance& lda, const std::vector<Minibatch>& minibatches) {
  Totals totals;
  for (const Minibatch& minibatch : minibatches) {
    const Contribution part = lda.accumulate(minibatch);
    if (!totals.rows.defined()) {
      totals = {part.rows.values.clone(), {part.terms.flat().begin(), part.terms.flat().end()}};
      continue;
    }
    totals.rows.add_(part.rows.values);
    for (std::size_t i = 0; i < totals.terms.size(); ++i) totals.terms[i] += part.terms.flat()[i];
  }
  return totals;
}

// Each process with a model of its own, as a program has; several steps, so that memory is used again.
Totals together(const std::function<Instance()>& instance, const std::vector<Minibatch>& minibatches) {
  const int size = static_cast<int>(minibatches.size());
  std::vector<Instance> models;
  for (int rank = 0; rank < size; ++rank) models.push_back(instance());
  const std::vector<std::int32_t> words = models.front().all_words();
  const Tensor& lambda = models.front().state.parameters["lambda"];
  std::vector<std::vector<double>> terms(minibatches.size());
  Totals totals{at::full(lambda.sizes(), -1, lambda.options()), {}};
  run_sharing(size, [&](SharedWork& work) {
    const auto rank = static_cast<std::size_t>(work.rank());
    Instance& lda = models[rank];
    Contribution contribution(lda.model->parameter_shapes(), lambda.scalar_type(), lda.model->terms(), &work);
    for (int step = 0; step < 3; ++step) {
      // Before the last, another process' documents.
      const std::size_t whose = step < 2 ? rank + 1 + static_cast<std::size_t>(step) : rank;
      const Minibatch& minibatch = minibatches[whose % minibatches.size()];
      contribution.clear(words);
      lda.model->accumulate(lda.state.parameters, minibatch, {lda.noise, lda.state.previous_means}, contribution);
      contribution.unite_rows();
      work.meet();
    }
    terms[rank] = {contribution.terms.flat().begin(), contribution.terms.flat().end()};
    totals.rows.narrow(0, contribution.rows.first, contribution.rows.size()).copy_(contribution.rows.values);
    work.meet();
  });
  totals.terms = terms.front();
  for (std::size_t rank = 1; rank < terms.size(); ++rank) {
    for (std::size_t i = 0; i < totals.terms.size(); ++i) totals.terms[i] += terms[rank][i];
  }
  return totals;
}

class Sharing : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Inference, Sharing, testing::Values("variational", "scvb0"));

TEST_P(Sharing, ChangesNoBit) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const auto instance = [&] {
      return Instance("lda", {"topics=37", "alpha=learned", std::string("inference=") + GetParam()},
                      {.training_rows = 200, .feature_shape = {vocabulary}}, type);
    };
    for (const std::vector<std::int64_t>& each :
         std::vector<std::vector<std::int64_t>>{{64}, {40, 24}, {0, 100}, {100, 0, 3}, {30, 1, 0, 60}}) {
      Instance lda = instance();
      const std::vector<Minibatch> minibatches = minibatches_of(each);
      const Totals expected = apart(lda, minibatches);
      const Totals found = together(instance, minibatches);
      EXPECT_TRUE(at::equal(found.rows, expected.rows)) << each.size();
      EXPECT_EQ(found.terms, expected.terms) << each.size();
      EXPECT_GT(expected.rows.sum().item<double>(), 0);
    }
  }
}

// A document that float32 cannot hold, see RareWord in lda_inference_test. The process that finds it need not be the
// one whose it is.
TEST(SharingRareWords, AddsWhatFloat64Gives) {
  const auto instance = [] {
    Instance lda("lda", {"topics=200", "alpha=0.001"}, {.training_rows = 3, .feature_shape = {4}});
    const Tensor lambda = at::ones({4, 200});
    lambda[1].fill_(0.01F);
    lambda[1][199] = 1000.0F;
    lambda[3][199] = 0.008F;
    svi::test::set_lambda(lda.state.parameters, lambda);
    return lda;
  };
  const std::vector<Minibatch> minibatches{
      {.ids = {1, 2}, .rows = CountRows{{0, 2, 4}, {0, 2, 1, 3}, {2, 1, 1000, 1}}},
      {.ids = {3}, .rows = CountRows{{0, 2}, {0, 2}, {3, 1}}}};
  Instance lda = instance();
  const Totals expected = apart(lda, minibatches);
  for (int repetition = 0; repetition < 20; ++repetition) {
    const Totals found = together(instance, minibatches);
    ASSERT_TRUE(at::equal(found.rows, expected.rows));
    ASSERT_EQ(found.terms, expected.terms);
  }
}

CountRows some_rows() { return {{0, 3, 3, 5, 8}, {0, 2, 5, 2, 4, 0, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}}; }

TEST(Shards, SortEntriesByWords) {
  const CountRows rows = some_rows();
  for (const int threads : {1, 2, 3, 7}) {
    svi::set_parallel_threads(threads);
    SharedWork alone;
    Shards<float> shards;
    shards.announce(alone, rows);
    shards.open(6, 16);
    shards.fill(rows, rows.words);
    svi::set_parallel_threads(1);
    const Shard<float>& shard = shards.mine();
    EXPECT_TRUE(std::ranges::equal(std::span(shard.firsts, 7), std::vector<std::int32_t>{0, 2, 2, 5, 5, 7, 8}));
    EXPECT_TRUE(std::ranges::equal(std::span(shard.by_word, 8), std::vector<std::int32_t>{0, 3, 0, 2, 3, 2, 3, 0}));
    shard.set_ratios(3, std::vector<float>{10, 11, 12});
    shard.clear_ratios(0);
    EXPECT_EQ(shard.ratios[1], 10);
    EXPECT_EQ(shard.ratios[4], 11);
    EXPECT_EQ(shard.ratios[6], 12);
    EXPECT_EQ(shard.ratios[7], 0);
    EXPECT_TRUE(std::ranges::equal(shard.counts_of(2), std::vector<float>{4, 5}));
    EXPECT_TRUE(shard.rows_of(1).empty());
  }
}

// Process 1 has no documents and takes those of process 0, every one once.
TEST(Shards, GiveDocumentsToWhoHasTime) {
  run_sharing(2, [](SharedWork& work) {
    CountRows rows;
    if (work.rank() == 0) {
      for (std::int32_t b = 0; b < 100; ++b) {
        rows.words.push_back(b % 6);
        rows.counts.push_back(1);
        rows.starts.push_back(b + 1);
      }
    }
    Shards<float> shards;
    for (int minibatch = 0; minibatch < 2; ++minibatch) {
      shards.announce(work, rows);
      work.meet();
      shards.open(6, 16);
      EXPECT_EQ(shards.all()[0].documents, 100);
      EXPECT_EQ(shards.all()[1].documents, 0);
      if (work.rank() == 1) {
        EXPECT_FALSE(shards.take().has_value()) << "there are none yet";
      }
      work.meet();
      shards.fill(rows, rows.words);
      work.meet();
      if (work.rank() == 1) {
        std::int64_t next = 0;
        while (const auto piece = shards.take()) {
          EXPECT_EQ(piece->shard, &shards.all()[0]);
          EXPECT_EQ(piece->first, next);
          next = piece->last;
        }
        EXPECT_EQ(next, 100);
        shards.count_reference();
      }
      shards.meet();
      EXPECT_TRUE(shards.has_references());
      EXPECT_FALSE(shards.take().has_value());
      work.meet();
    }
  });
}

}  // namespace
