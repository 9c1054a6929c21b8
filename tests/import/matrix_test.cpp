#include <gtest/gtest.h>

#include <random>

#include "import/counts.hpp"

namespace svi::data {
namespace {

using test::Contents;
using test::contents_of_counts;
using test::expect_error;
using test::ScratchFolder;
using test::small_corpus;
using Integers = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Names = std::vector<std::string>;

template <typename T>
void put(io::Hdf5Group& group, const char* name, const std::vector<T>& values,
         std::vector<std::int64_t> shape = {}) {
  if (shape.empty()) shape = {std::ssize(values)};
  group.create_dataset<T>(name, shape, io::Storage::checksummed).write(std::span<const T>(values));
}

void put_names(io::Hdf5Group& group, const char* name, const Names& names) {
  group.create_texts(name, names, io::TextForm::fixed);
}

// The parts of a compressed matrix, to be damaged one by one.
struct Parts {
  Integers starts{0, 2, 4, 4, 5};
  Integers indices{2, 0, 0, 2, 1};
  Reals data{2, 1, 4, 1, 7};
  Integers shape{3, 4};
  Names words{"apple", "birch", "cedar"};
  Names documents{"a", "b", "c", "d"};
};

void put_parts(io::Hdf5Group& group, const Parts& parts) {
  put(group, "indptr", parts.starts);
  put(group, "indices", parts.indices);
  put(group, "data", parts.data);
}

void put_genome(io::Hdf5File& file, const std::string& genome, const Parts& parts) {
  io::Hdf5Group group = file.create_group(genome);
  put_parts(group, parts);
  put(group, "shape", parts.shape);
  put_names(group, "barcodes", parts.documents);
  put_names(group, "genes", {"G1", "G2", "G3"});
  put_names(group, "gene_names", parts.words);
}

void write_10x(const std::string& path, const Parts& parts) {
  io::Hdf5File file = io::Hdf5File::create(path);
  {
    io::Hdf5Group group = file.create_group("matrix");
    put_parts(group, parts);
    put(group, "shape", parts.shape);
    put_names(group, "barcodes", parts.documents);
    io::Hdf5Group features = group.create_group("features");
    put_names(features, "name", parts.words);
    put_names(features, "id", {"G1", "G2", "G3"});
  }
  file.close();
}

// A matrix of AnnData's with a kind of layout, in X or as the layer "raw".
void put_matrix(io::Hdf5Group& place, const char* name, const std::string& encoding, const Parts& parts) {
  if (encoding == "dense") return put(place, name, Reals{1, 0, 2, 4, 0, 1, 0, 0, 0, 0, 7, 0}, {4, 3});
  io::Hdf5Group group = place.create_group(name);
  group.set_attribute("encoding-type", encoding, io::TextForm::variable);
  group.set_attribute("shape", std::span<const std::int64_t>(parts.shape));
  put_parts(group, parts);
}

void write_h5ad(const std::string& path, const std::string& encoding, const Parts& parts,
                bool is_layer = false) {
  io::Hdf5File file = io::Hdf5File::create(path);
  {
    if (is_layer) {
      io::Hdf5Group layers = file.create_group("layers");
      put_matrix(layers, "raw", encoding, parts);
      put(file, "X", Reals(12, 0.5), {4, 3});
    } else {
      put_matrix(file, "X", encoding, parts);
    }
    io::Hdf5Group obs = file.create_group("obs");
    put_names(obs, "_index", parts.documents);
    io::Hdf5Group var = file.create_group("var");
    var.set_attribute("_index", "symbol", io::TextForm::variable);
    put_names(var, "symbol", parts.words);
  }
  file.close();
}

Parts by_rows() {
  Parts parts;
  parts.shape = {4, 3};
  return parts;
}

Parts by_columns() {
  return {.starts = {0, 2, 3, 5}, .indices = {1, 0, 3, 0, 1}, .data = {4, 1, 7, 2, 1}, .shape = {4, 3}};
}

TEST(Import10x, GivesTheCorpusOfBarcodesAndFeatures) {
  const ScratchFolder folder;
  CountFiles files{.input = folder / "a.h5", .output = folder / "out.h5"};
  write_10x(files.input, {});
  EXPECT_EQ(counts_text(import_10x(files, {})), "4 documents, 3 words, 5 entries, 15 tokens");
  EXPECT_EQ(contents_of_counts(files.output), small_corpus());
  import_10x(files, {.names = "id"});
  EXPECT_EQ(contents_of_counts(files.output).vocabulary, (Names{"G1", "G2", "G3"}));
  files.vocabulary = folder.write("words.txt", "x\ny\nz\n");
  files.document_ids = folder.write("ids.txt", "1\n2\n3\n4\n");
  import_10x(files, {});
  EXPECT_EQ(contents_of_counts(files.output).vocabulary, (Names{"x", "y", "z"}));
  EXPECT_EQ(contents_of_counts(files.output).ids, (Names{"1", "2", "3", "4"}));
  folder.write("words.txt", "x\ny\n");
  expect_error(ExitCode::bad_data, {"words.txt", "2 words", "has 3"}, [&] { import_10x(files, {}); });
}

TEST(Import10x, ReadsTheGenomesOfCellRanger2) {
  const ScratchFolder folder;
  const CountFiles files{.input = folder / "a.h5", .output = folder / "out.h5"};
  {
    io::Hdf5File file = io::Hdf5File::create(files.input);
    put_genome(file, "GRCh38", {});
    file.close();
  }
  import_10x(files, {});
  EXPECT_EQ(contents_of_counts(files.output), small_corpus());
  {
    io::Hdf5File file = io::Hdf5File::create(files.input);
    put_genome(file, "GRCh38", {});
    put_genome(file, "mm10", {.data = {2, 1, 4, 1, 8}});
    file.close();
  }
  import_10x(files, {.genome = "mm10"});
  EXPECT_EQ(contents_of_counts(files.output).counts.back(), 8);
  expect_error(ExitCode::bad_data, {"--genome", "GRCh38, mm10"}, [&] { import_10x(files, {}); });
  expect_error(ExitCode::bad_data, {"/hg19: missing"}, [&] { import_10x(files, {.genome = "hg19"}); });
}

struct Damage {
  const char* what;
  std::function<void(Parts&)> apply;
  std::vector<std::string> parts;
};

const std::vector<Damage>& damages() {
  static const std::vector<Damage> damages{
      {"short starts", [](Parts& p) { p.starts.pop_back(); }, {"/indptr", "has 4 elements", "needs 5"}},
      {"starts that fall", [](Parts& p) { p.starts[1] = 5; }, {"/indptr", "not fall", "element 2 is 4"}},
      {"starts that begin late", [](Parts& p) { p.starts[0] = 1; }, {"/indptr", "element 0 is 1"}},
      {"starts that end early", [](Parts& p) { p.starts[4] = 4; }, {"/indptr", "ends at 4", "5 entries"}},
      {"fewer counts", [](Parts& p) { p.data.pop_back(); }, {"/indptr", "data 4"}},
      {"word too high", [](Parts& p) { p.indices[3] = 3; }, {"/indices", "element 3 is 3", "word", "0 to 2"}},
      {"word negative", [](Parts& p) { p.indices[0] = -1; }, {"/indices", "element 0 is -1"}},
      {"word twice",
       [](Parts& p) { p.indices[3] = 0; },
       {"/indices", "element 3", "word 0 of document 1", "second time"}},
      {"fraction", [](Parts& p) { p.data[4] = 0.5; }, {"/data", "element 4 is 0.5", "raw counts"}},
      {"negative", [](Parts& p) { p.data[4] = -1; }, {"/data", "element 4 is -1"}},
      {"not a number", [](Parts& p) { p.data[0] = NAN; }, {"/data", "element 0 is nan"}},
      {"too high", [](Parts& p) { p.data[0] = 1e9; }, {"/data", "16777216"}},
      {"fewer words", [](Parts& p) { p.words.pop_back(); }, {"names 2", "has 3"}},
      {"more documents", [](Parts& p) { p.documents.emplace_back("e"); }, {"names 5", "has 4"}},
  };
  return damages;
}

TEST(Import10x, RefusesEachCorruptionNamingItsPlace) {
  const ScratchFolder folder;
  const CountFiles files{.input = folder / "a.h5", .output = folder / "out.h5"};
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.what);
    Parts parts;
    damage.apply(parts);
    write_10x(files.input, parts);
    std::vector<std::string> expected = damage.parts;
    expected.push_back(files.input);
    expect_error(ExitCode::bad_data, expected, [&] { import_10x(files, {}); });
    EXPECT_FALSE(std::filesystem::exists(files.output));
  }
  write_10x(files.input, {.shape = {3, 4, 1}});
  expect_error(ExitCode::bad_data, {"/matrix/shape", "3 elements"}, [&] { import_10x(files, {}); });
  write_10x(files.input, {.shape = {0, 4}});
  expect_error(ExitCode::bad_data, {"/matrix/shape", "4 documents × 0 words"},
               [&] { import_10x(files, {}); });
  folder.write("a.h5", "not HDF5");
  expect_error(ExitCode::bad_data, {"a.h5", "not an HDF5 file"}, [&] { import_10x(files, {}); });
  write_h5ad(files.input, "dense", by_rows());
  expect_error(ExitCode::bad_data, {"[X, obs, var]", "matrix"}, [&] { import_10x(files, {}); });
  expect_error(ExitCode::missing_input, {"nowhere.h5"},
               [&] { import_10x({.input = folder / "nowhere.h5", .output = files.output}, {}); });
}

TEST(ImportH5ad, GivesTheCorpusFromEachLayoutOfXOrALayer) {
  const ScratchFolder folder;
  const CountFiles files{.input = folder / "a.h5ad", .output = folder / "out.h5"};
  for (const bool is_layer : {false, true}) {
    for (const char* encoding : {"csr_matrix", "csc_matrix", "dense"}) {
      SCOPED_TRACE(encoding);
      write_h5ad(files.input, encoding, encoding == std::string("csc_matrix") ? by_columns() : by_rows(),
                 is_layer);
      import_h5ad(files, is_layer ? "raw" : "");
      EXPECT_EQ(contents_of_counts(files.output), small_corpus());
      std::filesystem::remove(files.output);
    }
  }
}

TEST(ImportH5ad, ReadsWhatImportsWrite) {
  const ScratchFolder folder;
  write_10x(folder / "a.h5", {});
  import_10x({.input = folder / "a.h5", .output = folder / "b.h5"}, {});
  import_h5ad({.input = folder / "b.h5", .output = folder / "c.h5"}, "");
  EXPECT_EQ(contents_of_counts(folder / "c.h5"), small_corpus());
  EXPECT_EQ(test::contents_of(folder / "b.h5"), test::contents_of(folder / "c.h5"));
}

TEST(ImportH5ad, RefusesEachCorruptionNamingItsPlace) {
  const ScratchFolder folder;
  const CountFiles files{.input = folder / "a.h5ad", .output = folder / "out.h5"};
  const auto refused = [&](std::vector<std::string> parts, const std::string& layer = "") {
    parts.push_back(files.input);
    expect_error(ExitCode::bad_data, parts, [&] { import_h5ad(files, layer); });
    EXPECT_FALSE(std::filesystem::exists(files.output));
  };
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.what);
    Parts parts = by_rows();
    damage.apply(parts);
    write_h5ad(files.input, "csr_matrix", parts);
    refused(damage.parts);
  }
  write_h5ad(files.input, "csr_matrix", by_rows());
  refused({"layers: missing"}, "raw");
  write_h5ad(files.input, "csr_matrix", by_rows(), true);
  refused({"/layers", "no \"spliced\"", "[raw]"}, "spliced");
  refused({"/X", "row 0, column 0 is 0.5", "raw counts"});
  write_h5ad(files.input, "coo_matrix", by_rows());
  refused({"/X", "encoding-type", "coo_matrix", "csr_matrix or csc_matrix"});
  Parts twice = by_columns();
  twice.indices[1] = 1;
  write_h5ad(files.input, "csc_matrix", twice);
  refused({"/X/indices", "element 1", "word 0 of document 1", "second time"});
  twice.indices[1] = 4;
  write_h5ad(files.input, "csc_matrix", twice);
  refused({"/X/indices", "element 1 is 4", "document", "0 to 3"});
}

// A matrix by columns whose documents need many ranges gives what it gives in one.
TEST(ImportH5ad, EqualsItselfByRangesOfDocuments) {
  const ScratchFolder folder;
  Parts rows{.starts = {0}, .indices = {}, .data = {}, .shape = {60, 40}, .words = {}, .documents = {}};
  Parts columns{.starts = {0}, .indices = {}, .data = {}, .shape = {60, 40}, .words = {}, .documents = {}};
  const auto count = [](std::int64_t document, std::int64_t word) {
    return document % 5 == 2 || (document * 7 + word * 11) % 3 != 0 ? 0 : document * word % 17 + 1;
  };
  const auto add = [&](Parts& parts, std::int64_t index, std::int64_t value) {
    if (value == 0) return;
    parts.indices.push_back(index);
    parts.data.push_back(static_cast<double>(value));
  };
  for (std::int64_t word = 0; word < 40; ++word) {
    for (std::int64_t document = 0; document < 60; ++document) add(columns, document, count(document, word));
    columns.starts.push_back(std::ssize(columns.indices));
    for (Parts* parts : {&rows, &columns}) parts->words.push_back("w" + std::to_string(word));
  }
  for (std::int64_t document = 0; document < 60; ++document) {
    for (std::int64_t word = 0; word < 40; ++word) add(rows, word, count(document, word));
    rows.starts.push_back(std::ssize(rows.indices));
    for (Parts* parts : {&rows, &columns}) parts->documents.push_back("d" + std::to_string(document));
  }
  write_h5ad(folder / "rows.h5ad", "csr_matrix", rows);
  write_h5ad(folder / "columns.h5ad", "csc_matrix", columns);
  import_h5ad({.input = folder / "rows.h5ad", .output = folder / "rows.h5"}, "");
  for (const std::int64_t most_entries : {1, 17, 100, 1000000}) {
    import_h5ad({.input = folder / "columns.h5ad",
                 .output = folder / "columns.h5",
                 .entries_in_memory = most_entries},
                "");
    EXPECT_EQ(test::contents_of(folder / "columns.h5"), test::contents_of(folder / "rows.h5"))
        << most_entries;
  }
}

// Bytes changed at random: the corpus, or a message; never a crash and nothing half written.
TEST(ImportH5ad, SurvivesRandomDamage) {
  const ScratchFolder folder;
  const CountFiles files{.input = folder / "a.h5ad", .output = folder / "out.h5"};
  write_h5ad(files.input, "csr_matrix", by_rows());
  const std::string whole = test::contents_of(files.input);
  std::mt19937 generator(3);
  int refused = 0;
  for (int round = 0; round < 100; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 20; ++i) damaged[generator() % damaged.size()] = static_cast<char>(generator());
    folder.write("a.h5ad", damaged);
    try {
      import_h5ad(files, "");
      contents_of_counts(files.output);
      std::filesystem::remove(files.output);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
      EXPECT_FALSE(std::filesystem::exists(files.output));
      ++refused;
    }
  }
  EXPECT_GT(refused, 20);
}

}  // namespace
}  // namespace svi::data
