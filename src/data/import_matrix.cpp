// Counts that lie in other programs' HDF5 files.
#include <fmt/ranges.h>

#include "checked_numbers.hpp"
#include "matrix_entries.hpp"
#include "names.hpp"
#include "row_names.hpp"
#include "svi/data/data_file.hpp"

namespace svi::data {

namespace {

// A file whose entries can be read.
struct Matrix {
  io::Hdf5File file;
  std::unique_ptr<EntrySource> entries;
  std::int64_t documents = 0;
  Names names;
};

void require_size(const std::string& where, std::int64_t documents, std::int64_t words) {
  if (documents >= 1 && documents <= most_documents && words >= 1 && words <= most_words) return;
  throw Error(ExitCode::bad_data, "{}: {} documents × {} words, expected 1 to {} and 1 to {}", where,
              documents, words, most_documents, most_words);
}

void require_names(const std::string& where, const char* what, std::size_t found, std::int64_t expected) {
  if (static_cast<std::int64_t>(found) == expected) return;
  throw Error(ExitCode::bad_data, "{}: names {} {}, but the matrix has {}", where, found, what, expected);
}

// The file's own names unless others are given.
void take_names(const CountFiles& files, const CompressedLayout& layout, Names& names) {
  if (!files.vocabulary.empty()) {
    names.vocabulary = read_names(files.vocabulary, files.names_column, "a word");
    require_names(files.vocabulary, "words", names.vocabulary.size(), layout.words);
  }
  if (!files.document_ids.empty()) names.document_ids = document_ids_or_none(files, layout.documents);
}

CountsSummary import_matrix(const CountFiles& files, const std::function<Matrix()>& open) {
  try_in_child(files.input, [&open] { open(); });
  const Matrix matrix = open();
  return write_entries(*matrix.entries, matrix.documents, matrix.names, files);
}

// The groups of a file of CellRanger 2: one a genome.
std::vector<std::string> genomes_of(const io::Hdf5Group& root) {
  std::vector<std::string> genomes;
  for (const std::string& name : root.names()) {
    if (root.has_group(name) && root.group(name).has_dataset("barcodes")) genomes.push_back(name);
  }
  return genomes;
}

io::Hdf5Group genome_group(const io::Hdf5Group& root, const std::string& genome) {
  if (!genome.empty()) return root.group(genome);
  const auto genomes = genomes_of(root);
  if (genomes.size() == 1) return root.group(genomes.front());
  if (genomes.empty()) {
    throw Error(ExitCode::bad_data,
                "{}: holds [{}], expected 10x's group matrix, or one with barcodes a genome", root.where(),
                fmt::join(root.names(), ", "));
  }
  throw Error(ExitCode::bad_data, "{}: holds several genomes: choose with --genome one of {}", root.where(),
              fmt::join(genomes, ", "));
}

// "shape" counts features, then barcodes.
CompressedLayout tenx_layout(const io::Hdf5Group& group) {
  const io::Hdf5Dataset shape = group.dataset("shape");
  if (shape.elements() != 2 || shape.type().kind != io::ElementType::Kind::integer) {
    throw Error(ExitCode::bad_data, "{}: holds {} elements of {}, expected two integers: features, barcodes",
                shape.where(), shape.elements(), shape.type().text());
  }
  const auto sizes = shape.read<std::int64_t>();
  require_size(shape.where(), sizes[1], sizes[0]);
  return {.documents = sizes[1], .words = sizes[0]};
}

Matrix open_10x(const CountFiles& files, const TenxOptions& options) {
  Matrix matrix{.file = io::Hdf5File::open(files.input)};
  const bool is_new = options.genome.empty() && matrix.file.has_group("matrix");
  const io::Hdf5Group group =
      is_new ? matrix.file.group("matrix") : genome_group(matrix.file, options.genome);
  const CompressedLayout layout = tenx_layout(group);
  const bool by_id = options.names == "id";
  const io::Hdf5Dataset names = is_new ? group.group("features").dataset(by_id ? "id" : "name")
                                       : group.dataset(by_id ? "genes" : "gene_names");
  matrix.names.vocabulary = names.read_texts();
  require_names(names.where(), "features", matrix.names.vocabulary.size(), layout.words);
  const io::Hdf5Dataset barcodes = group.dataset("barcodes");
  matrix.names.document_ids = barcodes.read_texts();
  require_names(barcodes.where(), "barcodes", matrix.names.document_ids.size(), layout.documents);
  take_names(files, layout, matrix.names);
  matrix.documents = layout.documents;
  matrix.entries = compressed_entries(group, layout);
  return matrix;
}

std::unique_ptr<EntrySource> dense_of(io::Hdf5Dataset matrix, CompressedLayout& layout) {
  using Kind = io::ElementType::Kind;
  if (matrix.shape().size() != 2 ||
      (matrix.type().kind != Kind::integer && matrix.type().kind != Kind::real)) {
    throw Error(ExitCode::bad_data, "{}: holds {} in {} dimensions, expected numbers in two", matrix.where(),
                matrix.type().text(), matrix.shape().size());
  }
  layout = {.documents = matrix.shape()[0], .words = matrix.shape()[1]};
  require_size(matrix.where(), layout.documents, layout.words);
  return dense_entries(std::move(matrix));
}

std::unique_ptr<EntrySource> sparse_of(const io::Hdf5Group& group, CompressedLayout& layout) {
  const std::string encoding =
      group.has_attribute("encoding-type") ? group.text_attribute("encoding-type") : "missing";
  if (encoding != "csr_matrix" && encoding != "csc_matrix") {
    throw Error(ExitCode::bad_data,
                "{}: the attribute \"encoding-type\" is {}, expected csr_matrix or csc_matrix; a file "
                "of anndata before 0.7 has to be written again by a newer one",
                group.where(), in_quotes(encoding));
  }
  const auto shape = group.integers_attribute("shape");
  if (shape.size() != 2) {
    throw Error(ExitCode::bad_data,
                "{}: the attribute \"shape\" has {} elements, expected documents and words", group.where(),
                shape.size());
  }
  require_size(group.where(), shape[0], shape[1]);
  layout = {.documents = shape[0], .words = shape[1], .is_by_document = encoding == "csr_matrix"};
  return compressed_entries(group, layout);
}

// The group or data set `name`.
std::unique_ptr<EntrySource> entries_at(const io::Hdf5Group& place, const std::string& name,
                                        CompressedLayout& layout) {
  if (place.has_dataset(name)) return dense_of(place.dataset(name), layout);
  if (place.has_group(name)) return sparse_of(place.group(name), layout);
  throw Error(ExitCode::bad_data, "{}: has no {}; it holds [{}]", place.where(), in_quotes(name),
              fmt::join(place.names(), ", "));
}

Matrix open_h5ad(const CountFiles& files, const std::string& layer) {
  Matrix matrix{.file = io::Hdf5File::open(files.input)};
  CompressedLayout layout;
  matrix.entries = layer.empty() ? entries_at(matrix.file, "X", layout)
                                 : entries_at(matrix.file.group("layers"), layer, layout);
  matrix.names = {.vocabulary = row_names(matrix.file, "var"), .document_ids = row_names(matrix.file, "obs")};
  require_names(matrix.file.where() + "var", "words", matrix.names.vocabulary.size(), layout.words);
  require_names(matrix.file.where() + "obs", "documents", matrix.names.document_ids.size(), layout.documents);
  take_names(files, layout, matrix.names);
  matrix.documents = layout.documents;
  return matrix;
}

}  // namespace

CountsSummary import_10x(const CountFiles& files, const TenxOptions& options) {
  return import_matrix(files, [&] { return open_10x(files, options); });
}

CountsSummary import_h5ad(const CountFiles& files, const std::string& layer) {
  return import_matrix(files, [&] { return open_h5ad(files, layer); });
}

}  // namespace svi::data
