#include "svi/data/label_split.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

#include "data/rows.hpp"
#include "io/folder.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/local_rows.hpp"
#include "svi/data/partition.hpp"
#include "svi/data/sampler.hpp"

namespace svi::data {
namespace {

using test::every_third;

// Of a file of 900 rows: class row mod 7, but class 6 only where row mod 3 = 1 and below 60, others unknown.
std::vector<std::int64_t> labels_of_900() {
  std::vector<std::int64_t> labels(900);
  for (std::int64_t row = 0; row < 900; ++row) {
    const std::int64_t label = row % 7;
    labels[static_cast<std::size_t>(row)] = label == 6 && row >= 60 ? -1 : label;
  }
  return labels;
}

std::map<std::int64_t, std::int64_t> by_class(const LabelSplit& split,
                                              const std::vector<std::int64_t>& labels) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const std::int64_t row : split.labelled) ++counts[labels[static_cast<std::size_t>(row)]];
  return counts;
}

TEST(LabelSplit, ClassesKeepAsManyAsTheyHaveAndNoTwoMoreThanOthers) {
  const auto labels = labels_of_900();
  const auto rows = every_third(300);
  std::map<std::int64_t, std::int64_t> there;
  for (const std::int64_t row : rows) ++there[labels[static_cast<std::size_t>(row)]];
  ASSERT_EQ(there[6], 3);  // rows 13, 34 and 55
  for (const std::int64_t keep : {7, 8, 20, 70, 100}) {
    const LabelSplit split = split_by_label(rows, labels, keep, 1);
    EXPECT_EQ(std::ssize(split.labelled), keep);
    std::int64_t least = keep;
    std::int64_t most = 0;
    for (const auto& [label, count] : by_class(split, labels)) {
      ASSERT_GE(label, 0);
      most = std::max(most, count);
      if (count < there[label]) least = std::min(least, count);  // has rows left
    }
    EXPECT_LE(most - least, 1) << keep;
    EXPECT_EQ(by_class(split, labels).size(), 7U);
    EXPECT_EQ(split.classes, 7);
    std::vector<std::int64_t> all;
    std::ranges::merge(split.labelled, split.unlabelled, std::back_inserter(all));
    EXPECT_EQ(all, rows);  // both ascend, and every row is in one of them
  }
}

TEST(LabelSplit, SeedAndRowDecide) {
  const auto labels = labels_of_900();
  const auto rows = every_third(300);
  const auto first = split_by_label(rows, labels, 70, 1).labelled;
  EXPECT_EQ(first, split_by_label(rows, labels, 70, 1).labelled);
  EXPECT_NE(first, split_by_label(rows, labels, 70, 2).labelled);
  const auto more = split_by_label(rows, labels, 100, 1).labelled;  // who has a label keeps it
  EXPECT_TRUE(std::ranges::includes(more, first));
}

// Over 4000 seeds each of ten rows of a class is chosen as often as any: χ² with 9 degrees of freedom is
// above 45 once in 10⁶ false alarms.
TEST(LabelSplit, RowsOfAClassAreChosenAlike) {
  std::vector<std::int64_t> rows(20);
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<std::int64_t> labels(20);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = i < 10 ? 0 : 1;
  std::vector<int> counts(10);
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    for (const std::int64_t row : split_by_label(rows, labels, 2, seed).labelled) {
      if (row < 10) ++counts[static_cast<std::size_t>(row)];
    }
  }
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 400.0) * (count - 400.0) / 400.0;
  EXPECT_LT(chi_square, 45);
}

TEST(LabelSplit, ZeroKeepsWhatIsKnown) {
  const auto labels = labels_of_900();
  const LabelSplit split = split_by_label(every_third(300), labels, 0, 1);
  for (const std::int64_t row : split.labelled) EXPECT_GE(labels[static_cast<std::size_t>(row)], 0);
  for (const std::int64_t row : split.unlabelled) EXPECT_EQ(labels[static_cast<std::size_t>(row)], -1);
  EXPECT_FALSE(split.unlabelled.empty());
}

TEST(LabelSplit, WhatCannotBeIsRefused) {
  const auto labels = labels_of_900();
  const auto rows = every_third(300);
  test::expect_error(ExitCode::bad_config, {"data.labels is 5", "7 classes"},
                     [&] { split_by_label(rows, labels, 5, 1); });
  test::expect_error(ExitCode::bad_config, {"data.labels is 301", "of the 300 training rows"},
                     [&] { split_by_label(rows, labels, 301, 1); });
  const std::vector<std::int64_t> unknown(900, -1);
  test::expect_error(ExitCode::bad_data, {"none of the 300 training rows has a label"},
                     [&] { split_by_label(rows, unknown, 10, 1); });
  std::vector<std::int64_t> below = labels;
  below[static_cast<std::size_t>(rows[4])] = -2;
  test::expect_error(ExitCode::bad_data, {"data.train: row", "label -2"},
                     [&] { split_by_label(rows, below, 10, 1); });
}

// Strata of the same rows don't go in step, and a stratum's minibatches are still whole epochs.
TEST(Sampler, StrataHaveOrdersOfTheirOwn) {
  const Partition partition(every_third(100), 8, 1, nullptr);
  Sampler main(partition, 10, 3);
  Sampler other(partition, 10, 3, nullptr, 1);
  std::multiset<std::int64_t> seen;
  int same = 0;
  for (std::int64_t step = 0; step < 10; ++step) {
    const auto rows = other.rows(step, 0, 8);
    seen.insert(rows.begin(), rows.end());
    same += rows == main.rows(step, 0, 8);
  }
  EXPECT_EQ(same, 0);
  const auto all = every_third(100);
  EXPECT_TRUE(std::ranges::equal(seen, all));
}

TEST(LocalRows, HidesLabelsButThoseOfSomeRowsAndKeepsItsDigest) {
  const test::Folder folder;
  DenseRows rows{.features = at::rand({30, 4}), .labels = at::arange(30)};
  write_dense(folder / "rows.h5", rows, {4});
  const DataFile file(folder / "rows.h5");
  const auto labels = file.read_labels();
  ASSERT_EQ(labels.size(), 30U);
  EXPECT_EQ(labels[29], 29);
  const auto mine = every_third(10);
  LocalRows local(file, mine);
  const auto digest = local.digest_lanes();
  local.hide_labels_but(std::vector<std::int64_t>{0, 4, 5, 28, 29});
  EXPECT_EQ(local.digest_lanes(), digest);
  const Minibatch all = local.slice(0, 10, 0);
  for (std::int64_t i = 0; i < 10; ++i) {
    const std::int64_t row = mine[static_cast<std::size_t>(i)];
    const auto label = std::get<DenseRows>(all.rows).labels[i].item<std::int64_t>();
    EXPECT_EQ(label, row == 4 || row == 28 ? row : -1);
  }
  write_dense(folder / "bare.h5", {.features = rows.features, .labels = {}}, {4});
  EXPECT_TRUE(DataFile(folder / "bare.h5").read_labels().empty());
}

}  // namespace
}  // namespace svi::data
