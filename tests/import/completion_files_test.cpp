#include "svi/data/completion_files.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "import/scratch.hpp"
#include "svi/core/completion.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/partition.hpp"

namespace svi::data {
namespace {

using test::expect_error;
using test::ScratchFolder;

constexpr std::int64_t documents = 60;
constexpr std::uint64_t seed = 7;

// Document d has word d % 5 with count d + 1 and, but for every third, word 5 twice.
CountRows made_up() {
  CountRows rows;
  for (std::int64_t d = 0; d < documents; ++d) {
    rows.words.push_back(static_cast<std::int32_t>(d % 5));
    rows.counts.push_back(static_cast<float>(d + 1));
    if (d % 3 != 0) {
      rows.words.push_back(5);
      rows.counts.push_back(2);
    }
    rows.starts.push_back(static_cast<std::int64_t>(rows.words.size()));
  }
  return rows;
}

std::map<std::int32_t, std::int64_t> row_of(const CountRows& rows, std::size_t row) {
  std::map<std::int32_t, std::int64_t> words;
  for (auto i = static_cast<std::size_t>(rows.starts[row]);
       i < static_cast<std::size_t>(rows.starts[row + 1]); ++i) {
    words[rows.words[i]] = static_cast<std::int64_t>(rows.counts[i]);
  }
  return words;
}

CountRows read_counts(const std::string& path) {
  const DataFile file(path);
  return std::get<CountRows>(file.read(0, file.facts().rows));
}

TEST(WriteSplit, HoldsOutTheRowsThatTrainingHoldsOut) {
  const ScratchFolder folder;
  const CountRows all = made_up();
  write_counts(folder / "all.h5", all, {"a", "b", "c", "d", "e", "f"}, {});
  write_split(folder / "all.h5", 0.3, seed, folder / "split");
  const HeldOutSplit split = split_rows(documents, 0.3, seed);
  const CountRows train = read_counts(folder / "split/train.h5");
  const CountRows validation = read_counts(folder / "split/validation.h5");
  ASSERT_EQ(train.rows(), static_cast<std::int64_t>(split.training.size()));
  ASSERT_EQ(validation.rows(), static_cast<std::int64_t>(split.held_out.size()));
  for (std::size_t i = 0; i < split.training.size(); ++i) {
    EXPECT_EQ(row_of(train, i), row_of(all, static_cast<std::size_t>(split.training[i])));
  }
  for (std::size_t i = 0; i < split.held_out.size(); ++i) {
    EXPECT_EQ(row_of(validation, i), row_of(all, static_cast<std::size_t>(split.held_out[i])));
  }
}

TEST(WriteSplit, WritesTheHalvesByTheOriginalRowNumber) {
  const ScratchFolder folder;
  write_counts(folder / "all.h5", made_up(), {"a", "b", "c", "d", "e", "f"}, {});
  write_split(folder / "all.h5", 0.3, seed, folder / "split");
  const auto held_out = split_rows(documents, 0.3, seed).held_out;
  const CountRows validation = read_counts(folder / "split/validation.h5");
  const CountRows observed = read_counts(folder / "split/validation-observed.h5");
  const CountRows predicted = read_counts(folder / "split/validation-predicted.h5");
  ASSERT_EQ(observed.rows(), validation.rows());
  ASSERT_EQ(predicted.rows(), validation.rows());
  for (std::size_t i = 0; i < held_out.size(); ++i) {
    auto one = row_of(observed, i);
    auto other = row_of(predicted, i);
    for (const auto& [word, count] : row_of(validation, i)) {
      EXPECT_EQ(one[word], observed_occurrences(seed, held_out[i], word, count));
      EXPECT_EQ(one[word] + other[word], count);
    }
  }
  EXPECT_FALSE(observed.words.empty());
  EXPECT_FALSE(predicted.words.empty());
}

// Document d has d + 1 tokens of its first word, and then two or none of the other.
TEST(WriteSplit, CutsAsTrainingDoesByAnotherCompletion) {
  const ScratchFolder folder;
  write_counts(folder / "all.h5", made_up(), {"a", "b", "c", "d", "e", "f"}, {});
  const auto held_out = split_rows(documents, 0.3, seed).held_out;
  write_split(folder / "all.h5", 0.3, seed, folder / "etm", Completion::etm);
  write_split(folder / "all.h5", 0.3, seed, folder / "even-odd", Completion::even_odd);
  const CountRows half = read_counts(folder / "etm/validation-observed.h5");
  const CountRows even = read_counts(folder / "even-odd/validation-observed.h5");
  for (std::size_t i = 0; i < held_out.size(); ++i) {
    const std::int64_t d = held_out[i];
    const std::int64_t tokens = d + 1 + (d % 3 != 0 ? 2 : 0);
    const auto first = static_cast<std::int32_t>(d % 5);
    auto of_half = row_of(half, i);
    const std::int64_t observed = tokens == 1 ? 1 : tokens / 2;
    EXPECT_EQ(of_half[first], std::min(observed, d + 1)) << d;
    EXPECT_EQ(of_half[5], observed - of_half[first]) << d;
    auto of_even = row_of(even, i);
    EXPECT_EQ(of_even[first], first % 2 == 0 ? d + 1 : 0) << d;
    EXPECT_EQ(of_even[5], 0) << d;
  }
}

TEST(WriteSplit, SplitsDenseRowsWithTheirLabels) {
  const ScratchFolder folder;
  const at::Tensor features = at::arange(documents * 4, at::kFloat).view({documents, 4});
  const at::Tensor labels = at::arange(documents, at::kLong);
  write_dense(folder / "all.h5", {.features = features, .labels = labels}, {2, 2});
  const auto written = write_split(folder / "all.h5", 0.25, seed, folder / "split");
  EXPECT_EQ(written.size(), 2U);
  const auto held_out = at::tensor(split_rows(documents, 0.25, seed).held_out, at::kLong);
  const DataFile file(folder / "split/validation.h5");
  const auto rows = std::get<DenseRows>(file.read(0, file.facts().rows));
  EXPECT_EQ(file.facts().feature_shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_TRUE(at::equal(rows.labels, held_out));
  EXPECT_TRUE(at::equal(rows.features, features.index_select(0, held_out)));
}

TEST(WriteSplit, RefusesASideWithoutRowsAndAFolderThatCannotBe) {
  const ScratchFolder folder;
  write_counts(folder / "all.h5", made_up(), {"a", "b", "c", "d", "e", "f"}, {});
  expect_error(ExitCode::bad_data, {"all.h5", "60 rows", "holds out 0"},
               [&] { write_split(folder / "all.h5", 1e-9, seed, folder / "split"); });
  const auto file = folder.write("file", "");
  expect_error(ExitCode::cannot_write, {file},
               [&] { write_split(folder / "all.h5", 0.3, seed, file + "/split"); });
  expect_error(ExitCode::missing_input, {"none.h5"},
               [&] { write_split(folder / "none.h5", 0.3, seed, folder / "split"); });
}

}  // namespace
}  // namespace svi::data
