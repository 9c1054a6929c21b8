#include "row_copies.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "svi/base/prefetch.hpp"
#include "svi/core/parallel.hpp"

namespace svi::data {

namespace {

constexpr std::int64_t run_bytes = 32 << 20;  // read at a time
constexpr std::int64_t gap_bytes = 64 << 10;  // rather read over it than begin anew

std::int64_t row_bytes(const DataFacts& facts) {
  if (facts.layout == Layout::counts) return 8 * (facts.entries / facts.rows) + 8;
  return facts.columns * (facts.is_uint8 ? 1 : 4);
}

// The end of the run that begins at rows[first]: neighbours with small gaps, up to a size.
std::size_t end_of_run(std::span<const std::int64_t> rows, std::size_t first, std::int64_t bytes_per_row) {
  const std::int64_t longest = std::max<std::int64_t>(1, run_bytes / bytes_per_row);
  const std::int64_t widest_gap = 1 + gap_bytes / bytes_per_row;
  std::size_t last = first + 1;
  while (last < rows.size() && rows[last] - rows[last - 1] <= widest_gap &&
         rows[last] - rows[first] < longest)
    ++last;
  return last;
}

DenseRows empty_dense(const DataFacts& facts, std::int64_t rows) {
  DenseRows result;
  result.features = at::empty({rows, facts.columns}, facts.is_uint8 ? at::kByte : at::kFloat);
  if (facts.has_labels) result.labels = at::empty({rows}, at::kLong);
  return result;
}

std::byte* memory_of(at::Tensor& tensor) { return static_cast<std::byte*>(tensor.mutable_data_ptr()); }
const std::byte* memory_of(const at::Tensor& tensor) {
  return static_cast<const std::byte*>(tensor.const_data_ptr());
}

void ask_for(const CountRows& source, std::int64_t place) {
  const std::int64_t begin = source.starts[static_cast<std::size_t>(place)];
  const std::int64_t size = source.starts[static_cast<std::size_t>(place) + 1] - begin;
  prefetch<Access::read>(source.words.data() + begin, size);
  prefetch<Access::read>(source.counts.data() + begin, size);
}

void append_row(CountRows& target, const CountRows& source, std::int64_t place) {
  const auto begin = source.starts[static_cast<std::size_t>(place)];
  const auto end = source.starts[static_cast<std::size_t>(place) + 1];
  target.words.insert(target.words.end(), source.words.begin() + begin, source.words.begin() + end);
  target.counts.insert(target.counts.end(), source.counts.begin() + begin, source.counts.begin() + end);
  target.starts.push_back(std::ssize(target.words));
}

// The target has a row of that size there already.
void copy_row(CountRows& target, std::int64_t target_place, const CountRows& source,
              std::int64_t source_place) {
  const std::int64_t begin = source.starts[static_cast<std::size_t>(source_place)];
  const std::int64_t size = source.starts[static_cast<std::size_t>(source_place) + 1] - begin;
  const std::int64_t to = target.starts[static_cast<std::size_t>(target_place)];
  std::copy_n(source.words.begin() + begin, size, target.words.begin() + to);
  std::copy_n(source.counts.begin() + begin, size, target.counts.begin() + to);
}

void copy_row(DenseRows& target, std::int64_t target_place, const DenseRows& source,
              std::int64_t source_place) {
  const auto bytes = static_cast<std::int64_t>(source.features.element_size()) * source.features.size(1);
  std::memcpy(memory_of(target.features) + target_place * bytes,
              memory_of(source.features) + source_place * bytes, static_cast<std::size_t>(bytes));
  if (!source.labels.defined()) return;
  target.labels.mutable_data_ptr<std::int64_t>()[target_place] =
      source.labels.const_data_ptr<std::int64_t>()[source_place];
}

DenseRows gathered(const DenseRows& source, std::span<const std::int64_t> places) {
  DenseRows result;
  if (!source.features.defined()) return result;
  const auto count = std::ssize(places);
  const std::int64_t width = source.features.size(1);
  const auto bytes = width * static_cast<std::int64_t>(source.features.element_size());
  result.features = at::empty({count, width}, source.features.options());
  std::byte* to = memory_of(result.features);
  const std::byte* from = memory_of(source.features);
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::memcpy(to + static_cast<std::int64_t>(i) * bytes, from + places[i] * bytes,
                static_cast<std::size_t>(bytes));
  }
  if (!source.labels.defined()) return result;
  result.labels = at::empty({count}, at::kLong);
  auto* labels = result.labels.mutable_data_ptr<std::int64_t>();
  for (const std::int64_t place : places) *labels++ = source.labels.const_data_ptr<std::int64_t>()[place];
  return result;
}

CountRows gathered(const CountRows& source, std::span<const std::int64_t> places) {
  CountRows result;
  result.starts.reserve(places.size() + 1);
  for (const std::int64_t place : places) {
    const auto row = static_cast<std::size_t>(place);
    result.starts.push_back(result.starts.back() + source.starts[row + 1] - source.starts[row]);
  }
  result.words.resize(static_cast<std::size_t>(result.starts.back()));
  result.counts.resize(result.words.size());
  parallel_parts(std::ssize(places), [&](std::int64_t first, std::int64_t last) {
    constexpr std::int64_t rows_ahead = 2;  // asked for in advance, since they lie at random
    for (std::int64_t i = first; i < last; ++i) {
      if (i + rows_ahead < last) ask_for(source, places[static_cast<std::size_t>(i + rows_ahead)]);
      copy_row(result, i, source, places[static_cast<std::size_t>(i)]);
    }
  });
  return result;
}

std::int64_t held_bytes(const DenseRows& rows) {
  const std::size_t features = rows.features.defined() ? rows.features.nbytes() : 0;
  return static_cast<std::int64_t>(features + (rows.labels.defined() ? rows.labels.nbytes() : 0));
}

std::int64_t held_bytes(const CountRows& rows) {
  return static_cast<std::int64_t>(8 * rows.starts.size() + 4 * rows.words.size() + 4 * rows.counts.size());
}

}  // namespace

Rows empty_rows(const DataFacts& facts, std::int64_t rows, std::int64_t entries) {
  if (facts.layout == Layout::dense) return empty_dense(facts, rows);
  CountRows result;
  result.starts.reserve(static_cast<std::size_t>(rows) + 1);
  result.words.reserve(static_cast<std::size_t>(entries));
  result.counts.reserve(static_cast<std::size_t>(entries));
  return result;
}

void put_row(Rows& target, std::int64_t place, const Rows& source, std::int64_t source_place) {
  if (auto* counts = std::get_if<CountRows>(&target)) {
    append_row(*counts, std::get<CountRows>(source), source_place);
  } else {
    copy_row(std::get<DenseRows>(target), place, std::get<DenseRows>(source), source_place);
  }
}

Rows gathered(const Rows& source, std::span<const std::int64_t> places) {
  return std::visit([&](const auto& kind) { return Rows(gathered(kind, places)); }, source);
}

Rows read_rows(const DataFile& file, std::span<const std::int64_t> rows) {
  const DataFacts& facts = file.facts();
  Rows result = empty_rows(facts, std::ssize(rows), file.entries_of(rows));
  for (std::size_t first = 0; first < rows.size();) {
    const std::size_t last = end_of_run(rows, first, row_bytes(facts));
    const Rows run = file.read(rows[first], rows[last - 1] + 1);
    for (std::size_t place = first; place < last; ++place) {
      put_row(result, static_cast<std::int64_t>(place), run, rows[place] - rows[first]);
    }
    first = last;
  }
  return result;
}

Rows read_in_order(const DataFile& file, std::span<const std::int64_t> rows) {
  std::vector<std::int64_t> ascending(rows.begin(), rows.end());
  std::ranges::sort(ascending);
  const Rows read = read_rows(file, ascending);
  Rows result = empty_rows(file.facts(), std::ssize(rows), file.entries_of(ascending));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto place = std::ranges::lower_bound(ascending, rows[i]) - ascending.begin();
    put_row(result, static_cast<std::int64_t>(i), read, place);
  }
  return result;
}

std::int64_t bytes_of(const Rows& rows) {
  return std::visit([](const auto& kind) { return held_bytes(kind); }, rows);
}

}  // namespace svi::data
