#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>

#include "entry_source.hpp"
#include "svi/data/counts_writer.hpp"

namespace svi::data {

namespace {

constexpr std::size_t entries_at_once = 1 << 14;

// Puts the entries of documents into rows: sorts where needed, drops zeros, refuses repeated words.
class RowMaker {
 public:
  RowMaker(const EntrySource& source, CountsWriter& writer) : source_(source), writer_(writer) {}

  // @param number_of the number in the source of the entry at a place of the row, counted from 0
  template <typename NumberOf>
  void add(std::span<std::int32_t> words, std::span<float> counts, const NumberOf& number_of) {
    if (std::ranges::adjacent_find(words, std::greater_equal<>()) != words.end()) {
      if (const auto place = sort(words, counts)) {
        const auto document = static_cast<std::int32_t>(writer_.rows());
        throw source_.repeated(number_of(place->arrival), {document, place->word, 0});
      }
    }
    if (std::ranges::find(counts, 0.0F) == counts.end()) return writer_.add_row(words, counts);
    const std::size_t left = drop_zeros(words, counts);
    writer_.add_row(words.first(left), counts.first(left));
  }

 private:
  struct Twin {
    std::size_t arrival;
    std::int32_t word;
  };

  // The second of two entries with one word, or nothing, and then the row is sorted.
  std::optional<Twin> sort(std::span<std::int32_t> words, std::span<float> counts) {
    order_.resize(words.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::stable_sort(order_, {}, [&](std::size_t place) { return words[place]; });
    words_.clear();
    counts_.clear();
    for (const std::size_t place : order_) {
      if (!words_.empty() && words_.back() == words[place]) return Twin{place, words[place]};
      words_.push_back(words[place]);
      counts_.push_back(counts[place]);
    }
    std::ranges::copy(words_, words.begin());
    std::ranges::copy(counts_, counts.begin());
    return std::nullopt;
  }

  static std::size_t drop_zeros(std::span<std::int32_t> words, std::span<float> counts) {
    std::size_t left = 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (counts[i] == 0) continue;
      words[left] = words[i];
      counts[left++] = counts[i];
    }
    return left;
  }

  const EntrySource& source_;
  CountsWriter& writer_;
  std::vector<std::size_t> order_;
  std::vector<std::int32_t> words_;
  std::vector<float> counts_;
};

template <typename Take>
void for_each_block(EntrySource& source, const Take& take) {
  std::vector<Entry> block(entries_at_once);
  for (std::size_t size = source.read(block); size > 0; size = source.read(block)) {
    if (!take(std::span<const Entry>(block).first(size))) return;
  }
}

// Rows from entries that come document by document.
class OrderedRows {
 public:
  OrderedRows(const EntrySource& source, CountsWriter& writer) : maker_(source, writer), writer_(writer) {}

  // False where a document comes after a later one.
  bool add(std::span<const Entry> entries) {
    for (const Entry& entry : entries) {
      if (entry.document != document_) {
        if (entry.document < document_) return false;
        end_row();
        document_ = entry.document;
      }
      words_.push_back(entry.word);
      counts_.push_back(entry.count);
    }
    return true;
  }

  void end_row() {
    if (document_ < 0) return;
    writer_.fill_to(document_);
    maker_.add(words_, counts_,
               [&](std::size_t place) { return before_ + static_cast<std::int64_t>(place); });
    before_ += std::ssize(words_);
    words_.clear();
    counts_.clear();
  }

 private:
  RowMaker maker_;
  CountsWriter& writer_;
  std::int32_t document_ = -1;
  std::int64_t before_ = 0;  // entries before the present row
  std::vector<std::int32_t> words_;
  std::vector<float> counts_;
};

// Where each document's entries would start: [D + 1].
std::vector<std::int64_t> starts_of(EntrySource& source, std::int64_t documents) {
  std::vector<std::int64_t> starts(static_cast<std::size_t>(documents) + 1);
  for_each_block(source, [&](std::span<const Entry> entries) {
    for (const Entry& entry : entries) ++starts[static_cast<std::size_t>(entry.document) + 1];
    return true;
  });
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  return starts;
}

// Writes documents [first, last).
void write_range(EntrySource& source, std::span<const std::int64_t> starts, std::int32_t first,
                 std::int32_t last, CountsWriter& writer) {
  const std::int64_t base = starts[static_cast<std::size_t>(first)];
  const auto size = static_cast<std::size_t>(starts[static_cast<std::size_t>(last)] - base);
  std::vector<std::int64_t> next(starts.begin() + first, starts.begin() + last);
  std::vector<std::int32_t> words(size);
  std::vector<float> counts(size);
  std::vector<std::int64_t> numbers(size);
  std::int64_t number = 0;
  source.rewind();
  for_each_block(source, [&](std::span<const Entry> entries) {
    for (const Entry& entry : entries) {
      if (entry.document >= first && entry.document < last) {
        const auto place =
            static_cast<std::size_t>(next[static_cast<std::size_t>(entry.document - first)]++ - base);
        words[place] = entry.word;
        counts[place] = entry.count;
        numbers[place] = number;
      }
      ++number;
    }
    return true;
  });
  RowMaker maker(source, writer);
  for (auto document = static_cast<std::size_t>(first); document < static_cast<std::size_t>(last);
       ++document) {
    const auto begin = static_cast<std::size_t>(starts[document] - base);
    const auto length = static_cast<std::size_t>(starts[document + 1] - starts[document]);
    maker.add(std::span(words).subspan(begin, length), std::span(counts).subspan(begin, length),
              [&](std::size_t place) { return numbers[begin + place]; });
  }
}

bool write_in_order(EntrySource& source, CountsWriter& writer) {
  OrderedRows rows(source, writer);
  bool is_in_order = true;
  for_each_block(source, [&](std::span<const Entry> entries) { return is_in_order = rows.add(entries); });
  if (is_in_order) rows.end_row();
  return is_in_order;
}

void write_by_ranges(EntrySource& source, std::int64_t documents, std::int64_t most_entries,
                     CountsWriter& writer) {
  source.rewind();
  const std::vector<std::int64_t> starts = starts_of(source, documents);
  for (std::int64_t first = 0; first < documents;) {
    const auto begin = starts.begin() + first;
    const auto end = std::upper_bound(begin, starts.end(), *begin + most_entries);
    const std::int64_t last = std::max(first + 1, end - starts.begin() - 1);
    write_range(source, starts, static_cast<std::int32_t>(first), static_cast<std::int32_t>(last), writer);
    first = last;
  }
}

}  // namespace

CountsSummary write_entries(EntrySource& source, std::int64_t documents, const Names& names,
                            const CountFiles& files) {
  {
    CountsWriter writer(files.output);
    if (write_in_order(source, writer)) {
      writer.fill_to(documents);
      return writer.finish(names.vocabulary, names.document_ids);
    }
  }
  CountsWriter writer(files.output);
  write_by_ranges(source, documents, files.entries_in_memory, writer);
  return writer.finish(names.vocabulary, names.document_ids);
}

}  // namespace svi::data
