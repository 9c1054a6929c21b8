#include "matrix_entries.hpp"

#include <algorithm>

#include "checked_numbers.hpp"

namespace svi::data {

namespace {

constexpr std::int64_t block_entries = 1 << 18;

// `place` says where it stands.
template <typename Place>
float count_at(const io::Hdf5Dataset& data, double count, const Place& place) {
  if (!is_count(count)) {
    throw Error(
        ExitCode::bad_data,
        "{}: {} is {}, expected a whole number from 0 to {}; raw counts are needed, not normalised or "
        "logarithmic ones",
        data.where(), place(), count, highest_exact_count);
  }
  return static_cast<float>(count);
}

io::Hdf5Dataset numbers(const io::Hdf5Group& group, const char* name, bool must_be_integers) {
  using Kind = io::ElementType::Kind;
  io::Hdf5Dataset dataset = group.dataset(name);
  const Kind kind = dataset.type().kind;
  if (dataset.shape().size() == 1 && (kind == Kind::integer || (kind == Kind::real && !must_be_integers)))
    return dataset;
  throw Error(ExitCode::bad_data, "{}: holds {} in {} dimensions, expected a list of {}", dataset.where(),
              dataset.type().text(), dataset.shape().size(), must_be_integers ? "integers" : "numbers");
}

class CompressedEntries : public EntrySource {
 public:
  CompressedEntries(const io::Hdf5Group& group, const CompressedLayout& layout)
      : layout_(layout), indices_(numbers(group, "indices", true)), data_(numbers(group, "data", false)) {
    const std::int64_t majors = layout.is_by_document ? layout.documents : layout.words;
    const io::Hdf5Dataset indptr = numbers(group, "indptr", true);
    if (indptr.elements() != majors + 1) {
      throw Error(ExitCode::bad_data,
                  "{}: has {} elements, but the matrix of {} documents × {} words needs {}", indptr.where(),
                  indptr.elements(), layout.documents, layout.words, majors + 1);
    }
    starts_ = indptr.read<std::int64_t>();
    const auto descent = std::is_sorted_until(starts_.begin(), starts_.end());
    if (starts_.front() != 0 || descent != starts_.end()) {
      throw Error(ExitCode::bad_data, "{}: starts must begin at 0 and not fall; element {} is {}",
                  indptr.where(), starts_.front() != 0 ? 0 : descent - starts_.begin(),
                  starts_.front() != 0 ? starts_.front() : *descent);
    }
    if (starts_.back() != indices_.elements() || starts_.back() != data_.elements()) {
      throw Error(ExitCode::bad_data, "{}: ends at {}, but indices has {} entries and data {}",
                  indptr.where(), starts_.back(), indices_.elements(), data_.elements());
    }
  }

  std::size_t read(std::span<Entry> entries) override {
    std::size_t done = 0;
    for (; done < entries.size() && next_ < starts_.back(); ++done) {
      if (next_ == block_end_) read_block();
      entries[done] = entry();
      ++next_;
    }
    return done;
  }

  void rewind() override { next_ = block_begin_ = block_end_ = major_ = 0; }

  Error repeated(std::int64_t number, const Entry& entry) const override {
    return Error(ExitCode::bad_data,
                 "{}: element {} names word {} of document {} (counted from 0) a second time",
                 indices_.where(), number, entry.word, entry.document);
  }

 private:
  void read_block() {
    block_begin_ = next_;
    block_end_ = std::min(starts_.back(), next_ + block_entries);
    index_.resize(static_cast<std::size_t>(block_end_ - block_begin_));
    count_.resize(index_.size());
    indices_.read_rows(block_begin_, block_end_, std::span(index_));
    data_.read_rows(block_begin_, block_end_, std::span(count_));
  }

  Entry entry() {
    while (next_ >= starts_[static_cast<std::size_t>(major_) + 1]) ++major_;
    const auto place = static_cast<std::size_t>(next_ - block_begin_);
    const std::int64_t minors = layout_.is_by_document ? layout_.words : layout_.documents;
    const std::int64_t minor = index_[place];
    if (minor < 0 || minor >= minors) {
      throw Error(ExitCode::bad_data, "{}: element {} is {}, expected a {} number from 0 to {}",
                  indices_.where(), next_, minor, layout_.is_by_document ? "word" : "document", minors - 1);
    }
    const float count = count_at(data_, count_[place], [&] { return fmt::format("element {}", next_); });
    const auto [document, word] =
        layout_.is_by_document ? std::pair(major_, minor) : std::pair(minor, major_);
    return {static_cast<std::int32_t>(document), static_cast<std::int32_t>(word), count};
  }

  CompressedLayout layout_;
  io::Hdf5Dataset indices_;
  io::Hdf5Dataset data_;
  std::vector<std::int64_t> starts_;
  std::int64_t next_ = 0;   // entry
  std::int64_t major_ = 0;  // that owns the entry before it
  std::int64_t block_begin_ = 0;
  std::int64_t block_end_ = 0;
  std::vector<std::int64_t> index_;  // of the block
  std::vector<double> count_;
};

class DenseEntries : public EntrySource {
 public:
  explicit DenseEntries(io::Hdf5Dataset matrix)
      : matrix_(std::move(matrix)), documents_(matrix_.shape()[0]), words_(matrix_.shape()[1]) {}

  std::size_t read(std::span<Entry> entries) override {
    std::size_t done = 0;
    while (done < entries.size() && next_ < documents_ * words_) {
      if (next_ == block_end_) read_block();
      const double value = values_[static_cast<std::size_t>(next_ - block_begin_)];
      const std::int64_t document = next_ / words_;
      const std::int64_t word = next_++ % words_;
      if (value == 0) continue;
      const float count =
          count_at(matrix_, value, [&] { return fmt::format("row {}, column {}", document, word); });
      entries[done++] = {static_cast<std::int32_t>(document), static_cast<std::int32_t>(word), count};
    }
    return done;
  }

  void rewind() override { next_ = block_begin_ = block_end_ = 0; }

  Error repeated(std::int64_t number, const Entry& /*entry*/) const override {
    return Error(ExitCode::internal, "{}: entry {} of a dense matrix repeats", matrix_.where(), number);
  }

 private:
  void read_block() {
    const std::int64_t first = next_ / words_;
    const std::int64_t last = std::min(documents_, first + std::max<std::int64_t>(1, block_entries / words_));
    values_.resize(static_cast<std::size_t>((last - first) * words_));
    matrix_.read_rows(first, last, std::span(values_));
    block_begin_ = first * words_;
    block_end_ = last * words_;
  }

  io::Hdf5Dataset matrix_;
  std::int64_t documents_;
  std::int64_t words_;
  std::int64_t next_ = 0;  // element
  std::int64_t block_begin_ = 0;
  std::int64_t block_end_ = 0;
  std::vector<double> values_;  // of the block
};

}  // namespace

std::unique_ptr<EntrySource> compressed_entries(const io::Hdf5Group& group, const CompressedLayout& layout) {
  return std::make_unique<CompressedEntries>(group, layout);
}

std::unique_ptr<EntrySource> dense_entries(io::Hdf5Dataset matrix) {
  return std::make_unique<DenseEntries>(std::move(matrix));
}

}  // namespace svi::data
