#include "svi/data/embedding_file.hpp"

#include <gtest/gtest.h>

#include "io/folder.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/match_words.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {
namespace {

using test::bytes_of;
using test::put_bytes;

class EmbeddingFiles : public ::testing::Test {
 protected:
  // Two documents, then one: rows (1 0), (.25 .75), (.5 .5).
  void write(const std::string& path) {
    const auto file = create_embedding_file(path, ids_, topics_);
    file->add(std::vector<float>{1, 0, .25F, .75F});
    file->add(std::vector<float>{.5F, .5F});
    file->commit();
  }

  test::Folder folder_;
  std::vector<std::string> ids_{"first", "zwölf %", "a b"};
  const std::vector<Embedding> topics_{{"X_topics", numbered("topic", 2)}};
};

TEST_F(EmbeddingFiles, Tsv) {
  write(folder_ / "a.tsv");
  EXPECT_EQ(bytes_of(folder_ / "a.tsv"),
            "id\ttopic_0\ttopic_1\nfirst\t1\t0\nzwölf %\t0.25\t0.75\na b\t0.5\t0.5\n");
}

TEST_F(EmbeddingFiles, MatrixMarketGoesByColumns) {
  write(folder_ / "a.mtx");
  EXPECT_EQ(bytes_of(folder_ / "a.mtx"),
            "%%MatrixMarket matrix array real general\n% the rows:\n% first\n% zwölf %\n% a b\n"
            "3 2\n1\n0.25\n0.5\n0\n0.75\n0.5\n");
}

TEST_F(EmbeddingFiles, AnnData) {
  for (const char* name : {"a.h5ad", "a.h5"}) {
    write(folder_ / name);
    const io::Hdf5File file = io::Hdf5File::open(folder_ / name);
    EXPECT_EQ(file.text_attribute("encoding-type"), "anndata");
    EXPECT_EQ(file.group("obs").dataset("_index").read_texts(), ids_);
    EXPECT_EQ(file.group("var").dataset("_index").elements(), 0);
    const io::Hdf5Dataset theta = file.group("obsm").dataset("X_topics");
    EXPECT_EQ(theta.shape(), (std::vector<std::int64_t>{3, 2}));
    EXPECT_EQ(theta.read<float>(), (std::vector<float>{1, 0, .25F, .75F, .5F, .5F}));
  }
}

// Each embedding is an array of its own, or columns of one table.
TEST_F(EmbeddingFiles, HoldSeveralEmbeddings) {
  const std::vector<Embedding> embeddings{{"X_vae", numbered("mean", 2)}, {"X_score", {"score"}}};
  for (const char* name : {"a.h5ad", "a.tsv"}) {
    const auto file = create_embedding_file(folder_ / name, ids_, embeddings);
    file->add(std::vector<float>{1, 2, 3, 4, 5, 6});
    file->add(std::vector<float>{7, 8, 9});
    file->commit();
  }
  EXPECT_EQ(bytes_of(folder_ / "a.tsv"),
            "id\tmean_0\tmean_1\tscore\nfirst\t1\t2\t3\nzwölf %\t4\t5\t6\na b\t7\t8\t9\n");
  const io::Hdf5Group obsm = io::Hdf5File::open(folder_ / "a.h5ad").group("obsm");
  EXPECT_EQ(obsm.dataset("X_vae").shape(), (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(obsm.dataset("X_vae").read<float>(), (std::vector<float>{1, 2, 4, 5, 7, 8}));
  EXPECT_EQ(obsm.dataset("X_score").read<float>(), (std::vector<float>{3, 6, 9}));
  test::expect_error(ExitCode::usage, {"a.mtx", "expected .h5ad, .h5 or .tsv"},
                     [&] { create_embedding_file(folder_ / "a.mtx", ids_, embeddings); });
}

// What is not committed leaves nothing, and an older file as it was.
TEST_F(EmbeddingFiles, AppearWholeOrNotAtAll) {
  for (const char* name : {"a.h5ad", "a.tsv", "a.mtx"}) {
    put_bytes(folder_ / name, "older");
    create_embedding_file(folder_ / name, ids_, topics_)->add(std::vector<float>{1, 0});
    EXPECT_EQ(bytes_of(folder_ / name), "older") << name;
  }
  EXPECT_EQ(folder_.files(), 3U);
}

TEST_F(EmbeddingFiles, Refusals) {
  const auto creating = [&](const std::string& name) {
    return [this, name] { create_embedding_file(folder_ / name, ids_, topics_); };
  };
  test::expect_error(ExitCode::usage, {"a.csv", "\".csv\", expected .h5ad"}, creating("a.csv"));
  test::expect_error(ExitCode::cannot_write, {"nowhere"}, creating("nowhere/a.tsv"));
  ids_[1] = "two\nlines";
  for (const char* name : {"a.tsv", "a.mtx"})
    test::expect_error(ExitCode::bad_data, {"id of row 1", name}, creating(name));
  write(folder_ / "a.h5ad");
  EXPECT_EQ(folder_.files(), 1U);
}

TEST_F(EmbeddingFiles, AFullDiskIsTold) {
  ids_.assign(2000, "document");
  for (const char* name : {"a.h5ad", "a.tsv", "a.mtx"}) {
    const test::FileSizeLimit limit(4096);
    test::expect_error(ExitCode::cannot_write, {name}, [&] {
      const auto file = create_embedding_file(folder_ / name, ids_, topics_);
      file->add(std::vector<float>(4000, 1.0F / 3));
      file->commit();
    });
  }
  EXPECT_EQ(folder_.files(), 0U);
}

TEST_F(EmbeddingFiles, DocumentIds) {
  const CountRows rows{.starts = {0, 1, 2, 3}, .words = {0, 1, 0}, .counts = {1, 2, 3}};
  write_counts(folder_ / "a.h5", rows, {"x", "y"}, ids_);
  EXPECT_EQ(read_document_ids(DataFile(folder_ / "a.h5").facts()), ids_);
  write_counts(folder_ / "b.h5", rows, {"x", "y"}, {});
  EXPECT_EQ(read_document_ids(DataFile(folder_ / "b.h5").facts()), (std::vector<std::string>{"0", "1", "2"}));
}

using Numbers = std::vector<std::int32_t>;

TEST(MatchWords, ByName) {
  EXPECT_EQ(match_words({"c", "new", "a"}, {"a", "b", "c"}, "theirs"), (Numbers{2, -1, 0}));
  EXPECT_EQ(match_words({"a", "a"}, {"a", "a"}, "theirs"), (Numbers{0, 1}));  // the same list: no question
  test::expect_error(ExitCode::bad_data, {"new.h5: words 0 and 2 are both \"b\""}, [] {
    match_words({"b", "a", "b"}, {"a", "b"}, "new.h5");
  });
  test::expect_error(ExitCode::bad_data, {"the model's vocabulary: words 1 and 2"}, [] {
    match_words({"a"}, {"a", "b", "b"}, "new.h5");
  });
}

TEST(MatchWords, RowsInOtherWords) {
  const CountRows rows{.starts = {0, 3, 3, 4}, .words = {0, 1, 2, 1}, .counts = {5, 6, 7, 8}};
  const CountRows found = renumbered(rows, Numbers{9, -1, 4});
  EXPECT_EQ(found.starts, (std::vector<std::int64_t>{0, 2, 2, 2}));
  EXPECT_EQ(found.words, (Numbers{4, 9}));
  EXPECT_EQ(found.counts, (std::vector<float>{7, 5}));
}

}  // namespace
}  // namespace svi::data
