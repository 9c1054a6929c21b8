#include "svi/data/counts_writer.hpp"

#include <algorithm>
#include <array>

#include "anndata.hpp"
#include "svi/base/error.hpp"
#include "svi/data/data_file.hpp"

namespace svi::data {

namespace {

constexpr std::size_t block_entries = 1 << 20;  // a multiple of a chunk's, so that each is written once

template <typename T>
void append(io::Hdf5Group& group, const char* name, std::optional<io::Hdf5Dataset>& dataset,
            std::vector<T>& values, std::size_t count) {
  if (!dataset) dataset.emplace(group.create_growing<T>(name));
  dataset->append(std::span<const T>(values).first(count));
  values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
}

template <typename T>
void write_values(io::Hdf5Group& group, const char* name, const std::vector<T>& values) {
  group.create_dataset<T>(name, {std::ssize(values)}, io::Storage::checksummed)
      .write(std::span<const T>(values));
}

}  // namespace

CountsWriter::CountsWriter(const std::string& path)
    : target_(path), file_(io::Hdf5File::create(target_)), matrix_(file_.create_group("X")) {
  set_encoding(file_, "anndata", "0.1.0");
}

void CountsWriter::add_row(std::span<const std::int32_t> words, std::span<const float> counts) {
  words_.insert(words_.end(), words.begin(), words.end());
  counts_.insert(counts_.end(), counts.begin(), counts.end());
  for (const float count : counts) tokens_ += static_cast<double>(count);
  if (!words.empty()) columns_ = std::max(columns_, std::int64_t{words.back()} + 1);
  starts_.push_back(starts_.back() + std::ssize(words));
  while (words_.size() > block_entries) flush(block_entries);
}

void CountsWriter::fill_to(std::int64_t rows) {
  starts_.resize(std::max(starts_.size(), static_cast<std::size_t>(rows) + 1), starts_.back());
}

void CountsWriter::flush(std::size_t entries) {
  append(*matrix_, "indices", indices_, words_, entries);
  append(*matrix_, "data", data_, counts_, entries);
}

void CountsWriter::write_matrix(std::int64_t columns) {
  set_encoding(*matrix_, "csr_matrix", "0.1.0");
  matrix_->set_attribute("shape", std::span<const std::int64_t>(std::array{rows(), columns}));
  if (indices_) {
    flush(words_.size());
  } else {
    write_values(*matrix_, "indices", words_);
    write_values(*matrix_, "data", counts_);
  }
  write_values(*matrix_, "indptr", starts_);
}

CountsSummary CountsWriter::finish(const std::vector<std::string>& vocabulary,
                                   const std::vector<std::string>& document_ids) {
  if (columns_ > std::ssize(vocabulary) || (!document_ids.empty() && std::ssize(document_ids) != rows())) {
    throw Error(ExitCode::internal, "{}: rows, words and names to be written do not match", target_.path());
  }
  write_matrix(std::ssize(vocabulary));
  const CountsSummary summary{
      .documents = rows(), .words = std::ssize(vocabulary), .entries = starts_.back(), .tokens = tokens_};
  indices_.reset();
  data_.reset();
  matrix_.reset();
  if (document_ids.empty()) {
    write_row_numbers(file_, "obs", rows());
  } else {
    write_names(file_, "obs", document_ids, io::TextForm::variable);
  }
  write_names(file_, "var", vocabulary, io::TextForm::variable);
  file_.close();
  target_.commit();
  return summary;
}

CountsSummary write_counts(const std::string& path, const CountRows& rows,
                           const std::vector<std::string>& vocabulary,
                           const std::vector<std::string>& document_ids) {
  const bool is_right =
      rows.starts.front() == 0 && rows.starts.back() == std::ssize(rows.words) &&
      rows.words.size() == rows.counts.size() && std::ranges::is_sorted(rows.starts) &&
      std::ranges::all_of(rows.words, [&](auto word) { return word >= 0 && word < std::ssize(vocabulary); });
  if (!is_right)
    throw Error(ExitCode::internal, "{}: rows, words and names to be written do not match", path);
  CountsWriter writer(path);
  for (std::size_t row = 0; row + 1 < rows.starts.size(); ++row) {
    const auto first = static_cast<std::size_t>(rows.starts[row]);
    const auto size = static_cast<std::size_t>(rows.starts[row + 1]) - first;
    writer.add_row(std::span(rows.words).subspan(first, size), std::span(rows.counts).subspan(first, size));
  }
  return writer.finish(vocabulary, document_ids);
}

}  // namespace svi::data
