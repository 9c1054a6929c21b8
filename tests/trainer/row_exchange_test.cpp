// The ranks exchange only the rows of words that occur: the totals are those of an exchange of all rows.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <span>

#include "io/folder.hpp"
#include "support/mpi_test.hpp"
#include "svi/trainer/minibatches.hpp"
#include "svi/trainer/reduction.hpp"
#include "svi/trainer/trainer.hpp"
#include "trainer/generated_data.hpp"

namespace svi::test {
namespace {

using trainer::Minibatches;
using trainer::Reduction;
using trainer::Settings;
using trainer::TrainingData;

constexpr std::int64_t vocabulary = 4000;
constexpr std::int64_t topics = 6;
constexpr std::int64_t values = vocabulary * topics;

// Four documents of some thirty words a step: most words occur nowhere, and now and then a rank has no
// document.
constexpr const char* config = R"(
data: {{train: {}, shards: 16}}
model: {{type: lda, topics: 6, alpha: {}}}
optimizer: {{type: robbins_monro}}
train: {{batch: 4}}
)";

class RowExchange : public ::testing::TestWithParam<const char*> {
 protected:
  RowExchange() {
    const std::string path =
        std::filesystem::temp_directory_path() / fmt::format("svi-rows-{}.h5", getppid());
    comm::together(world(), "writing documents", [&] {
      if (world().rank() == 0) write_documents(path, 120, vocabulary, 1);
    });
    settings_ = Settings::read(config::Document::parse(fmt::format(config, path, GetParam()), "a test"));
    data_ = std::make_unique<TrainingData>(settings_, true, world());
    comm::together(world(), "removing documents", [&] {
      if (world().rank() == 0) std::filesystem::remove(path);
    });
    model_ = settings_.model->build(data_->shape());
    rule_ = make_update_rule(settings_.optimizer, {.total_steps = 100});
    state_.seed = 3;
    state_.parameters = ParameterSet(model_->parameter_shapes());
    model_->initialize(state_.parameters, Philox(state_.seed));
  }

  Contribution contribution() const { return {model_->parameter_shapes(), at::kFloat, model_->terms()}; }

  void accumulate(const Minibatch& minibatch, std::vector<std::int32_t> rows, Contribution& into) {
    into.clear(std::move(rows));
    model_->accumulate(state_.parameters, minibatch, {Philox(state_.seed), state_.previous_means}, into);
  }

  // This rank's statistics of the minibatch as a whole matrix, found without the words of the other ranks.
  std::vector<float> dense_statistics(const Minibatch& minibatch) {
    std::vector<std::int32_t> all(vocabulary);
    std::iota(all.begin(), all.end(), 0);
    Contribution dense = contribution();
    accumulate(minibatch, std::move(all), dense);
    const auto* first = dense.rows.values.const_data_ptr<float>();
    return {first, first + values};
  }

  Settings settings_;
  std::unique_ptr<TrainingData> data_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<UpdateRule> rule_;
  TrainingState state_;
};

// The rows that were exchanged, and zero in all others.
std::vector<float> as_matrix(const RowBlock& block) {
  std::vector<float> matrix(values, 0.0F);
  const auto* value = block.values.const_data_ptr<float>();
  for (const std::int32_t row : block.rows) {
    std::copy_n(value, topics, matrix.begin() + row * topics);
    value += topics;
  }
  return matrix;
}

std::vector<float> of_all_ranks(std::vector<float>& mine) {
  std::vector<float> all(mine.size() * static_cast<std::size_t>(world().size()));
  world()
      .control()
      .all_gather(comm::buffer_of(std::span(mine)), comm::buffer_of(std::span(all)), "dense")
      ->wait();
  return all;
}

// Float32 numbers added one to the next err by at most (R − 1)u Σ|x_r| to first order, u = 2^−24 (Higham
// 2002, eq. 4.4), and not at all beyond u·|sum| on two ranks: a float64 sum of two float32 rounded to float32
// is the float32 sum itself (Figueroa 1995: 53 ≥ 2·24 + 2 digits).
void expect_same_sum(float found, std::span<const float> all, std::size_t place) {
  double sum = 0;
  double size = 0;
  for (std::size_t i = place; i < all.size(); i += values) {
    sum += static_cast<double>(all[i]);
    size += std::abs(static_cast<double>(all[i]));
  }
  if (world().size() <= 2) {
    ASSERT_EQ(found, static_cast<float>(sum)) << place;
  } else {
    const double bound = (world().size() - 1) * 0x1.0p-24 * size * (1 + 1e-6);
    ASSERT_LE(std::abs(static_cast<double>(found) - sum), bound) << place;
  }
}

TEST_P(RowExchange, GivesTheTotalsOfADenseOne) {
  Minibatches minibatches(*data_, world(), {}, /*unites_words=*/true);
  Reduction reduction(world());
  Contribution total = contribution();
  std::int64_t most_rows = 0;
  double rows_of_others = 0;  // words of a step that this rank does not have
  double without_documents = 0;
  for (state_.step = 0; state_.step < 40; ++state_.step) {
    SCOPED_TRACE(state_.step);
    const Minibatch minibatch = minibatches.take(state_.step);
    std::vector<float> mine = dense_statistics(minibatch);
    std::vector<float> summed = mine;
    accumulate(minibatch, minibatch.occurring, total);
    most_rows = std::max(most_rows, total.rows.size());
    without_documents += minibatch.size() == 0;
    for (const std::int32_t row : minibatch.occurring) {
      const auto first = mine.begin() + row * topics;
      rows_of_others += std::all_of(first, first + topics, [](float value) { return value == 0; });
    }
    reduction.begin(total);
    reduction.start_rest();
    reduction.finish();

    // The same to the bit as the same all-reduce of all rows, and the sum as float64 finds it.
    world().all_reduce(comm::buffer_of(std::span(summed)), comm::ReduceOperation::sum, "dense")->wait();
    const std::vector<float> found = as_matrix(total.rows);
    const std::vector<float> all = of_all_ranks(mine);
    for (std::size_t i = 0; i < values; ++i) {
      ASSERT_EQ(found[i], summed[i]) << i;
      expect_same_sum(found[i], all, i);
    }

    model_->to_direction(state_.parameters, total);
    rule_->update(state_, total);
    model_->derive(state_.parameters, state_.step + 1);
  }
  minibatches.finish();
  EXPECT_GT(most_rows, 50);
  EXPECT_LT(most_rows, vocabulary / 10);
  std::vector<double> seen{rows_of_others, without_documents};
  comm::all_reduce_sum(world(), seen, "what was seen");
  EXPECT_EQ(seen[0] > 0, world().size() > 1) << "ranks lacked words of others";
  EXPECT_EQ(seen[1] > 0, world().size() > 1) << "a rank had no document in some step";
}

struct NoneDue : trainer::CheckpointWriter {
  bool is_due(const TrainingState&) override { return false; }
  void save(const TrainingState&, const trainer::Progress&, const Metrics&) override {}
  void save_best(const TrainingState&, const trainer::Progress&, const Metrics&) override {}
};

// Whether an address lies in a file without a name, as the system knows them.
bool is_in_common(const void* address) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &first, &last) != 2) continue;
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    if (place >= first && place < last) return line.find("memfd:svi") != std::string::npos;
  }
  return false;
}

TEST_P(RowExchange, IsNoneWhereTheTrainerSharesMemory) {
  std::vector<Tensor> lambda;
  for (const bool shares : {false, true}) {
    TrainingState state{.seed = state_.seed, .parameters = ParameterSet(model_->parameter_shapes())};
    model_->initialize(state.parameters, Philox(state.seed));
    NoneDue checkpoints;
    trainer::Observer observer;
    const trainer::StopSignal stop;
    trainer::Trainer({*model_, *rule_, *data_, world(), checkpoints, observer, stop},
                     {.total_steps = 20, .shares_memory = shares}, state)
        .run();
    EXPECT_EQ(is_in_common(state.parameters["lambda"].const_data_ptr()), shares && world().size() > 1);
    lambda.push_back(state.parameters["lambda"].clone());
  }
  EXPECT_TRUE(at::equal(lambda[0], lambda[1]));
}

INSTANTIATE_TEST_SUITE_P(Alpha, RowExchange, ::testing::Values("0.1", "learned"), [](const auto& tested) {
  return std::string(tested.param).substr(0, 1) == "l" ? "Learned" : "Fixed";
});

}  // namespace
}  // namespace svi::test
