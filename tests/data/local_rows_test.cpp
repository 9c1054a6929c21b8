#include "svi/data/local_rows.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "data/rows.hpp"
#include "io/folder.hpp"
#include "svi/core/parallel.hpp"
#include "svi/data/partition.hpp"

namespace svi::data {
namespace {

using test::documents;
using test::Folder;

std::vector<std::int64_t> all_rows(const DataFile& file) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(file.facts().rows));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

DataFile written(const std::string& path) {
  write_counts(path, documents(200, 30), std::vector<std::string>(30, "w"), {});
  return DataFile(path);
}

class CountLocalRows : public testing::Test {
 protected:
  // Row by row out of the file itself.
  void expect_rows(const Minibatch& minibatch, std::span<const std::int64_t> rows) const {
    ASSERT_EQ(minibatch.ids, std::vector<std::int64_t>(rows.begin(), rows.end()));
    const auto& found = std::get<CountRows>(minibatch.rows);
    ASSERT_EQ(found.rows(), std::ssize(rows));
    for (std::size_t b = 0; b < rows.size(); ++b) {
      const auto expected = std::get<CountRows>(file_.read(rows[b], rows[b] + 1));
      const auto begin = found.starts[b];
      const auto end = found.starts[b + 1];
      EXPECT_TRUE(std::equal(found.words.begin() + begin, found.words.begin() + end, expected.words.begin(),
                             expected.words.end()));
      EXPECT_TRUE(std::equal(found.counts.begin() + begin, found.counts.begin() + end,
                             expected.counts.begin(), expected.counts.end()));
    }
  }

  Folder folder_;
  DataFile file_ = written(folder_ / "c.h5");
};

TEST_F(CountLocalRows, GathersAnyRowsInAnyOrder) {
  const std::vector<std::int64_t> held{0, 1, 2, 5, 17, 18, 100, 199};
  const LocalRows local(file_, held);
  EXPECT_EQ(local.size(), 8);
  EXPECT_EQ(local.ids(), held);
  const std::vector<std::int64_t> asked{199, 2, 18, 2};
  const Minibatch minibatch = local.gather(asked, 77);
  EXPECT_EQ(minibatch.step, 77);
  expect_rows(minibatch, asked);
  for (const int threads : {1, 3, 8}) {
    set_parallel_threads(threads);
    expect_rows(local.gather(asked, 77), asked);
    expect_rows(local.slice(3, 7, 1), std::span(held).subspan(3, 4));
    expect_rows(local.gather({}, 0), {});
    set_parallel_threads(1);
  }
  for (const std::int64_t missing : {3, -1, 200, 1 << 20}) {
    test::expect_error(ExitCode::internal, {std::to_string(missing), "does not hold"},
                       [&] { local.gather(std::array<std::int64_t, 1>{missing}, 0); });
  }
  test::expect_error(ExitCode::internal, {}, [&] { local.slice(3, 9, 1); });
}

TEST_F(CountLocalRows, CountsTokensAndEmptyDocuments) {
  const CountRows rows = documents(200, 30);
  const LocalRows local(file_, all_rows(file_));
  EXPECT_EQ(local.empty_rows(), 20);
  EXPECT_EQ(local.tokens(), std::accumulate(rows.counts.begin(), rows.counts.end(), 0.0));
  EXPECT_GE(local.bytes(), 8 * std::ssize(rows.words) + 8 * 201);
}

TEST_F(CountLocalRows, DigestIsTheSameForAnyCut) {
  const LocalRows whole(file_, all_rows(file_));
  for (const std::int64_t ranks : {2, 3, 7}) {
    const Partition partition(all_rows(file_), 16, ranks,
                              [&](std::span<const std::int64_t> rows) { return file_.entries_before(rows); });
    std::vector<std::uint64_t> sum(4, 0);
    double tokens = 0;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      const LocalRows part(file_, partition.rows_of(rank));
      for (std::size_t i = 0; i < 4; ++i) sum[i] += part.digest_lanes()[i];
      tokens += part.tokens();
    }
    EXPECT_EQ(sum, whole.digest_lanes());
    EXPECT_EQ(tokens, whole.tokens());
  }
}

TEST_F(CountLocalRows, DigestSeesEveryChange) {
  const LocalRows before(file_, all_rows(file_));
  const auto digest_of = [&](const CountRows& rows) {
    write_counts(folder_ / "d.h5", rows, std::vector<std::string>(30, "w"), {});
    const DataFile file(folder_ / "d.h5");
    return LocalRows(file, all_rows(file)).digest_lanes();
  };
  CountRows rows = documents(200, 30);
  EXPECT_EQ(digest_of(rows), before.digest_lanes());
  rows.counts[500] += 1;
  EXPECT_NE(digest_of(rows), before.digest_lanes());
  // Two documents that change places: the same contents, other numbers.
  CountRows swapped = documents(200, 30);
  const CountRows original = documents(200, 30);
  ASSERT_EQ(original.starts[1] - original.starts[0], original.starts[2] - original.starts[1]);
  std::rotate(swapped.words.begin(), swapped.words.begin() + original.starts[1],
              swapped.words.begin() + original.starts[2]);
  std::rotate(swapped.counts.begin(), swapped.counts.begin() + original.starts[1],
              swapped.counts.begin() + original.starts[2]);
  EXPECT_NE(digest_of(swapped), before.digest_lanes());
}

TEST(DenseLocalRows, GathersAcrossRunsAndGaps) {
  const Folder folder;
  // 60 rows of 1 MiB: more than one run of reading.
  const at::Tensor features = at::arange(60).to(at::kByte).view({60, 1}).expand({60, 1 << 20}).contiguous();
  features.select(1, 12345).add_(1);
  write_dense(folder / "x.h5", {.features = features, .labels = at::arange(60).mul(3)}, {1 << 20});
  const DataFile file(folder / "x.h5");
  std::vector<std::int64_t> held = all_rows(file);
  std::erase_if(held, [](std::int64_t row) { return row % 7 == 2; });
  const LocalRows local(file, held);
  const std::vector<std::int64_t> asked{59, 0, 33, 34, 8};
  const Minibatch minibatch = local.gather(asked, 5);
  const auto& rows = std::get<DenseRows>(minibatch.rows);
  const at::Tensor places = at::tensor(asked);
  EXPECT_TRUE(at::equal(rows.features, features.index_select(0, places)));
  EXPECT_TRUE(at::equal(rows.labels, places * 3));
  const auto slice = std::get<DenseRows>(local.slice(10, 20, 5).rows);
  const at::Tensor ids = at::tensor(std::vector<std::int64_t>(held.begin() + 10, held.begin() + 20));
  EXPECT_TRUE(at::equal(slice.features, features.index_select(0, ids)));
  EXPECT_TRUE(at::equal(slice.labels, ids * 3));
  EXPECT_GE(local.bytes(), local.size() << 20);
}

TEST(DenseLocalRows, NoRowsKeepTheirKind) {
  const Folder folder;
  write_dense(folder / "x.h5", {.features = at::ones({4, 6}), .labels = {}}, {6});
  const DataFile file(folder / "x.h5");
  const LocalRows none(file, {});
  const Minibatch minibatch = none.gather({}, 3);
  EXPECT_EQ(minibatch.size(), 0);
  EXPECT_EQ(std::get<DenseRows>(minibatch.rows).features.sizes(), (std::vector<std::int64_t>{0, 6}));
  EXPECT_EQ(std::get<DenseRows>(minibatch.rows).features.scalar_type(), at::kFloat);
  EXPECT_EQ(none.digest_lanes(), std::vector<std::uint64_t>(4, 0));
  EXPECT_EQ(LocalRows().gather({}, 0).size(), 0);
}

}  // namespace
}  // namespace svi::data
