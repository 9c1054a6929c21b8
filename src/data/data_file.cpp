#include "svi/data/data_file.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <variant>

#include "counts_reader.hpp"
#include "dense_reader.hpp"
#include "row_digest.hpp"
#include "svi/base/error.hpp"
#include "svi/base/sha256.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {

namespace {

using Reader = std::variant<CountsReader, DenseReader>;

constexpr std::int64_t fingerprint_rows = 64;

Reader open_reader(const io::Hdf5Group& root) {
  const bool has_dense = root.has_dataset("x");
  const bool has_matrix = root.has_group("X") || root.has_dataset("X");
  if (has_dense && !has_matrix) return DenseReader(root, "x");
  if (root.has_group("X") && !has_dense) return CountsReader(root);
  if (root.has_dataset("X") && !has_dense) return DenseReader(root, "X");
  throw Error(
      ExitCode::bad_data,
      "{}: holds [{}], expected either X (word counts in AnnData's CSR layout: X/indptr, "
      "X/indices, X/data, var) or x (dense rows, with optional labels y){}; `svi-data import` writes both",
      root.where(), fmt::join(root.names(), ", "), has_dense ? ", not both" : "");
}

void describe(DataFacts& facts, const CountsReader& reader) {
  facts.layout = Layout::counts;
  facts.feature_shape = {reader.columns()};
  facts.entries = reader.starts().back();
  facts.vocabulary = reader.vocabulary();
}

void describe(DataFacts& facts, const DenseReader& reader) {
  facts.layout = Layout::dense;
  facts.feature_shape = reader.feature_shape();
  facts.entries = reader.rows() * reader.columns();
  facts.is_uint8 = reader.is_uint8();
  facts.has_labels = reader.has_labels();
}

void add_facts(Sha256& digest, const DataFacts& facts) {
  digest.add_text(facts.layout == Layout::counts ? "counts" : facts.is_uint8 ? "uint8" : "float32");
  digest.add_integer(static_cast<std::uint64_t>(facts.rows)).add_integer(facts.has_labels ? 1 : 0);
  for (const std::int64_t extent : facts.feature_shape)
    digest.add_integer(static_cast<std::uint64_t>(extent));
  for (const std::string& word : facts.vocabulary) digest.add_text(word);
}

std::string fingerprint(const DataFacts& facts, const Reader& reader) {
  Sha256 digest;
  add_facts(digest, facts);
  if (const auto* counts = std::get_if<CountsReader>(&reader)) {
    digest.add(std::as_bytes(std::span(counts->starts())));
  }
  const std::int64_t sampled = std::min(fingerprint_rows, facts.rows);
  for (std::int64_t i = 0; i < sampled; ++i) {
    const std::int64_t row = i * (facts.rows / sampled) + i * (facts.rows % sampled) / sampled;
    add_row(digest, std::visit([&](const auto& kind) { return Rows(kind.read(row, row + 1)); }, reader), 0);
  }
  return digest.finish_hex();
}

}  // namespace

struct DataFile::Open {
  explicit Open(const std::string& path) : file(io::Hdf5File::open(path)), reader(open_reader(file)) {
    facts.path = std::filesystem::absolute(path).lexically_normal();
    std::visit(
        [this](const auto& kind) {
          facts.rows = kind.rows();
          facts.columns = kind.columns();
          describe(facts, kind);
        },
        reader);
    facts.fingerprint = fingerprint(facts, reader);
  }

  void require_rows(std::int64_t first, std::int64_t last) const {
    if (0 <= first && first <= last && last <= facts.rows) return;
    throw Error(ExitCode::internal, "{}: rows {} to {} asked for, but it has {}", facts.path, first, last,
                facts.rows);
  }

  io::Hdf5File file;
  Reader reader;
  DataFacts facts;
};

DataFile::DataFile(const std::string& path) : open_(std::make_unique<Open>(path)) {}
DataFile::~DataFile() = default;
DataFile::DataFile(DataFile&&) noexcept = default;

const DataFacts& DataFile::facts() const { return open_->facts; }

std::vector<std::int64_t> DataFile::entries_before(std::span<const std::int64_t> rows) const {
  const auto* counts = std::get_if<CountsReader>(&open_->reader);
  std::vector<std::int64_t> before;
  before.reserve(rows.size());
  for (const std::int64_t row : rows) {
    open_->require_rows(row, open_->facts.rows);
    before.push_back(counts != nullptr ? counts->starts()[static_cast<std::size_t>(row)]
                                       : row * open_->facts.columns);
  }
  return before;
}

std::int64_t DataFile::entries_of(std::span<const std::int64_t> rows) const {
  const auto* counts = std::get_if<CountsReader>(&open_->reader);
  if (counts == nullptr) return std::ssize(rows) * open_->facts.columns;
  std::int64_t entries = 0;
  for (const std::int64_t row : rows) {
    open_->require_rows(row, row + 1);
    entries +=
        counts->starts()[static_cast<std::size_t>(row) + 1] - counts->starts()[static_cast<std::size_t>(row)];
  }
  return entries;
}

std::int64_t DataFile::bytes_of(std::span<const std::int64_t> rows) const {
  const DataFacts& facts = open_->facts;
  const std::int64_t entries = entries_of(rows);
  if (facts.layout == Layout::counts) return 8 * entries + 8 * std::ssize(rows);
  return entries * (facts.is_uint8 ? 1 : 4) + (facts.has_labels ? 8 * std::ssize(rows) : 0);
}

Rows DataFile::read(std::int64_t first, std::int64_t last) const {
  open_->require_rows(first, last);
  return std::visit([&](const auto& kind) { return Rows(kind.read(first, last)); }, open_->reader);
}

std::vector<std::int64_t> DataFile::read_labels() const {
  const auto* dense = std::get_if<DenseReader>(&open_->reader);
  return dense == nullptr ? std::vector<std::int64_t>() : dense->read_labels();
}

}  // namespace svi::data
