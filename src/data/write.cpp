#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "svi/base/error.hpp"
#include "svi/data/data_file.hpp"
#include "svi/io/atomic_file.hpp"
#include "svi/io/hdf5.hpp"

namespace svi::data {

namespace {

void set_encoding(io::Hdf5Node& node, const char* type, const char* version) {
  node.set_attribute("encoding-type", type, io::TextForm::variable);
  node.set_attribute("encoding-version", version, io::TextForm::variable);
}

// A table of anndata's without columns: only the names of its rows.
void write_names(io::Hdf5Group& root, const std::string& table, const std::vector<std::string>& names) {
  io::Hdf5Group group = root.create_group(table);
  set_encoding(group, "dataframe", "0.2.0");
  group.set_attribute("_index", "_index", io::TextForm::variable);
  group.set_attribute("column-order", std::span<const std::int64_t>());
  io::Hdf5Dataset index = group.create_texts("_index", names, io::TextForm::variable);
  set_encoding(index, "string-array", "0.2.0");
}

template <typename T>
void write_values(io::Hdf5Group& group, const char* name, const std::vector<std::int64_t>& shape,
                  std::span<const T> values) {
  group.create_dataset<T>(name, shape, io::Storage::checksummed).write(values);
}

void write_matrix(io::Hdf5Group& root, const CountRows& rows, std::int64_t columns) {
  io::Hdf5Group x = root.create_group("X");
  set_encoding(x, "csr_matrix", "0.1.0");
  x.set_attribute("shape", std::span<const std::int64_t>(std::array{rows.rows(), columns}));
  const auto entries = std::ssize(rows.words);
  write_values(x, "indptr", {std::ssize(rows.starts)}, std::span<const std::int64_t>(rows.starts));
  write_values(x, "indices", {entries}, std::span<const std::int32_t>(rows.words));
  write_values(x, "data", {entries}, std::span<const float>(rows.counts));
}

std::vector<std::string> row_numbers(std::int64_t rows) {
  std::vector<std::string> names(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = std::to_string(i);
  return names;
}

void require_consistent(const std::string& path, const CountRows& rows,
                        const std::vector<std::string>& vocabulary,
                        const std::vector<std::string>& document_ids) {
  const auto is_word = [&](std::int32_t word) { return word >= 0 && word < std::ssize(vocabulary); };
  const bool is_right = rows.starts.front() == 0 && rows.starts.back() == std::ssize(rows.words) &&
                        rows.words.size() == rows.counts.size() && std::ranges::is_sorted(rows.starts) &&
                        std::ranges::all_of(rows.words, is_word) &&
                        (document_ids.empty() || std::ssize(document_ids) == rows.rows());
  if (!is_right)
    throw Error(ExitCode::internal, "{}: rows, words and names to be written do not match", path);
}

}  // namespace

void write_counts(const std::string& path, const CountRows& rows, const std::vector<std::string>& vocabulary,
                  const std::vector<std::string>& document_ids) {
  require_consistent(path, rows, vocabulary, document_ids);
  io::AtomicFile target(path);
  io::Hdf5File file = io::Hdf5File::create(target);
  set_encoding(file, "anndata", "0.1.0");
  write_matrix(file, rows, std::ssize(vocabulary));
  write_names(file, "obs", document_ids.empty() ? row_numbers(rows.rows()) : document_ids);
  write_names(file, "var", vocabulary);
  file.close();
  target.commit();
}

void write_dense(const std::string& path, const DenseRows& rows,
                 const std::vector<std::int64_t>& feature_shape) {
  const at::Tensor features = rows.features.contiguous();
  const std::int64_t width =
      std::accumulate(feature_shape.begin(), feature_shape.end(), std::int64_t{1}, std::multiplies<>());
  if (features.dim() != 2 || features.size(1) != width ||
      (rows.labels.defined() && rows.labels.numel() != features.size(0))) {
    throw Error(ExitCode::internal, "{}: features, their shape and labels to be written do not match", path);
  }
  std::vector<std::int64_t> shape{features.size(0)};
  shape.insert(shape.end(), feature_shape.begin(), feature_shape.end());
  const auto values = static_cast<std::size_t>(features.numel());

  io::AtomicFile target(path);
  io::Hdf5File file = io::Hdf5File::create(target);
  if (features.scalar_type() == at::kByte) {
    write_values(file, "x", shape,
                 std::span<const std::uint8_t>(features.const_data_ptr<std::uint8_t>(), values));
  } else {
    write_values(file, "x", shape, std::span<const float>(features.const_data_ptr<float>(), values));
  }
  if (rows.labels.defined()) {
    const at::Tensor labels = rows.labels.to(at::kLong).contiguous();
    write_values(file, "y", {labels.numel()},
                 std::span(labels.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(labels.numel())));
  }
  file.close();
  target.commit();
}

}  // namespace svi::data
