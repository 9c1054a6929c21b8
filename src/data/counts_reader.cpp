#include "counts_reader.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "row_names.hpp"
#include "svi/base/error.hpp"

namespace svi::data {

namespace {

constexpr std::int64_t block_entries = 1 << 20;  // read at a time: 16 MiB
constexpr double largest_count = 1 << 24;        // beyond it float32 skips whole numbers

// The group X, once it is known to be CSR.
io::Hdf5Group csr_group(const io::Hdf5Group& root) {
  io::Hdf5Group x = root.group("X");
  if (!x.has_attribute("encoding-type")) {
    throw Error(ExitCode::bad_data,
                "{}: the attribute \"encoding-type\" is missing, so this is not AnnData's CSR "
                "layout; a file of anndata before 0.7 has to be written again by a newer one",
                x.where());
  }
  const std::string encoding = x.text_attribute("encoding-type");
  if (encoding == "csc_matrix") {
    throw Error(ExitCode::bad_data,
                "{}: stored by columns (csc_matrix), but rows are read; in Python convert it "
                "with `a.X = a.X.tocsr()` and write it again",
                x.where());
  }
  if (encoding == "csr_matrix") return x;
  throw Error(ExitCode::bad_data, "{}: encoding-type is \"{}\", expected \"csr_matrix\"", x.where(),
              encoding);
}

io::Hdf5Dataset numbers(const io::Hdf5Group& x, const char* name, bool must_be_integers) {
  using Kind = io::ElementType::Kind;
  io::Hdf5Dataset dataset = x.dataset(name);
  const Kind kind = dataset.type().kind;
  if (dataset.shape().size() == 1 && (kind == Kind::integer || (kind == Kind::real && !must_be_integers))) {
    return dataset;
  }
  throw Error(ExitCode::bad_data, "{}: holds {} in {} dimensions, expected a list of {}", dataset.where(),
              dataset.type().text(), dataset.shape().size(), must_be_integers ? "integers" : "numbers");
}

}  // namespace

CountsReader::CountsReader(const io::Hdf5Group& root)
    : indices_(numbers(csr_group(root), "indices", true)), data_(numbers(csr_group(root), "data", false)) {
  const io::Hdf5Group x = csr_group(root);
  const std::vector<std::int64_t> shape = x.integers_attribute("shape");
  if (shape.size() != 2 || shape[0] < 0 || shape[1] < 0 ||
      shape[1] > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ExitCode::bad_data,
                "{}: the attribute \"shape\" should hold the numbers of documents and of words", x.where());
  }
  if (shape[0] == 0 || shape[1] == 0) {
    throw Error(ExitCode::bad_data, "{}: an empty corpus: {} documents, {} words", x.where(), shape[0],
                shape[1]);
  }
  columns_ = shape[1];
  read_starts(x, shape[0]);
  vocabulary_ = row_names(root, "var");
  if (std::ssize(vocabulary_) != columns_) {
    throw Error(ExitCode::bad_data, "{}: var names {} words, but X has {} columns", root.where(),
                vocabulary_.size(), columns_);
  }
}

void CountsReader::read_starts(const io::Hdf5Group& x, std::int64_t rows) {
  const io::Hdf5Dataset indptr = numbers(x, "indptr", true);
  if (indptr.elements() - 1 != rows) {
    throw Error(ExitCode::bad_data, "{}: has {} elements, but the {} rows of \"shape\" need {}",
                indptr.where(), indptr.elements(), rows, rows + 1);
  }
  starts_ = indptr.read<std::int64_t>();
  if (starts_.front() != 0) {
    throw Error(ExitCode::bad_data, "{}: starts at {}, expected 0", indptr.where(), starts_.front());
  }
  const auto descent = std::is_sorted_until(starts_.begin(), starts_.end());
  if (descent != starts_.end()) {
    throw Error(ExitCode::bad_data, "{}: falls from {} to {} at element {}; row starts must not fall",
                indptr.where(), *(descent - 1), *descent, descent - starts_.begin());
  }
  if (starts_.back() != indices_.elements() || starts_.back() != data_.elements()) {
    throw Error(ExitCode::bad_data, "{}: ends at {}, but indices has {} entries and data {}", indptr.where(),
                starts_.back(), indices_.elements(), data_.elements());
  }
  if (starts_.back() == 0) {
    throw Error(ExitCode::bad_data, "{}: an empty corpus: none of the {} documents has a word", x.where(),
                rows);
  }
}

// As many rows as have block_entries entries, at least one.
std::int64_t CountsReader::end_of_block(std::int64_t first, std::int64_t last) const {
  const auto begin = starts_.begin() + first;
  const auto end = std::upper_bound(begin, starts_.begin() + last + 1, *begin + block_entries);
  return std::max(first + 1, std::min(last, end - starts_.begin() - 1));
}

CountRows CountsReader::read(std::int64_t first, std::int64_t last) const {
  CountRows result;
  const auto entries = static_cast<std::size_t>(starts_[last] - starts_[first]);
  result.starts.reserve(static_cast<std::size_t>(last - first) + 1);
  result.words.reserve(entries);
  result.counts.reserve(entries);
  std::vector<std::int64_t> words;
  std::vector<double> counts;
  std::vector<Entry> row_entries;
  while (first < last) {
    const std::int64_t end = end_of_block(first, last);
    const std::int64_t begin_entry = starts_[first];
    const auto size = static_cast<std::size_t>(starts_[end] - begin_entry);
    words.resize(size);
    counts.resize(size);
    indices_.read_rows(begin_entry, starts_[end], std::span(words));
    data_.read_rows(begin_entry, starts_[end], std::span(counts));
    for (; first < end; ++first) {
      const auto offset = static_cast<std::size_t>(starts_[first] - begin_entry);
      const auto length = static_cast<std::size_t>(starts_[first + 1] - starts_[first]);
      append_row(result, first, std::span(words).subspan(offset, length),
                 std::span(counts).subspan(offset, length), row_entries);
    }
  }
  return result;
}

void CountsReader::append_row(CountRows& result, std::int64_t row, std::span<const std::int64_t> words,
                              std::span<const double> counts, std::vector<Entry>& entries) const {
  entries.clear();
  for (std::size_t i = 0; i < words.size(); ++i) entries.push_back(checked_entry(row, words[i], counts[i]));
  const auto by_word = [](const Entry& a, const Entry& b) { return a.word < b.word; };
  if (!std::is_sorted(entries.begin(), entries.end(), by_word))
    std::sort(entries.begin(), entries.end(), by_word);
  const auto twin = std::adjacent_find(entries.begin(), entries.end(),
                                       [](const Entry& a, const Entry& b) { return a.word == b.word; });
  if (twin != entries.end()) {
    throw Error(ExitCode::bad_data,
                "{}: row {} (counted from 0) names word {} (\"{}\") more than once; add the "
                "counts up, in Python with `a.X.sum_duplicates()`",
                indices_.where(), row, twin->word, vocabulary_[static_cast<std::size_t>(twin->word)]);
  }
  for (const Entry& entry : entries) {
    if (entry.count == 0) continue;  // an explicit zero says nothing
    result.words.push_back(entry.word);
    result.counts.push_back(entry.count);
  }
  result.starts.push_back(std::ssize(result.words));
}

CountsReader::Entry CountsReader::checked_entry(std::int64_t row, std::int64_t word, double count) const {
  if (word < 0 || word >= columns_) {
    throw Error(ExitCode::bad_data, "{}: row {} (counted from 0) has the word number {}, expected 0 to {}",
                indices_.where(), row, word, columns_ - 1);
  }
  // Written so that NaN fails it.
  if (!(count >= 0 && count <= largest_count) || count != std::floor(count)) {
    throw Error(ExitCode::bad_data,
                "{}: row {} (counted from 0) has the count {} of word {} (\"{}\"), expected a whole "
                "number from 0 to {}; raw counts are needed, not normalised or logarithmic ones",
                data_.where(), row, count, word, vocabulary_[static_cast<std::size_t>(word)], largest_count);
  }
  return {static_cast<std::int32_t>(word), static_cast<float>(count)};
}

}  // namespace svi::data
