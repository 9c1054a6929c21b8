#include "svi/data/local_rows.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "row_digest.hpp"
#include "svi/base/error.hpp"

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

std::byte* bytes_of(at::Tensor& tensor) { return static_cast<std::byte*>(tensor.mutable_data_ptr()); }
const std::byte* bytes_of(const at::Tensor& tensor) {
  return static_cast<const std::byte*>(tensor.const_data_ptr());
}

void append_row(CountRows& target, const CountRows& source, std::int64_t place) {
  const auto begin = source.starts[static_cast<std::size_t>(place)];
  const auto end = source.starts[static_cast<std::size_t>(place) + 1];
  target.words.insert(target.words.end(), source.words.begin() + begin, source.words.begin() + end);
  target.counts.insert(target.counts.end(), source.counts.begin() + begin, source.counts.begin() + end);
  target.starts.push_back(std::ssize(target.words));
}

void copy_row(DenseRows& target, std::int64_t target_place, const DenseRows& source,
              std::int64_t source_place) {
  const auto bytes = static_cast<std::int64_t>(source.features.element_size()) * source.features.size(1);
  std::memcpy(bytes_of(target.features) + target_place * bytes,
              bytes_of(source.features) + source_place * bytes, static_cast<std::size_t>(bytes));
  if (!source.labels.defined()) return;
  target.labels.mutable_data_ptr<std::int64_t>()[target_place] =
      source.labels.const_data_ptr<std::int64_t>()[source_place];
}

DenseRows gathered(const DenseRows& source, const std::vector<std::int64_t>& places) {
  DenseRows result;
  if (!source.features.defined()) return result;
  const auto count = std::ssize(places);
  const std::int64_t width = source.features.size(1);
  const auto bytes = width * static_cast<std::int64_t>(source.features.element_size());
  result.features = at::empty({count, width}, source.features.options());
  std::byte* to = bytes_of(result.features);
  const std::byte* from = bytes_of(source.features);
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

CountRows gathered(const CountRows& source, const std::vector<std::int64_t>& places) {
  CountRows result;
  std::size_t entries = 0;
  for (const std::int64_t place : places) {
    const auto row = static_cast<std::size_t>(place);
    entries += static_cast<std::size_t>(source.starts[row + 1] - source.starts[row]);
  }
  result.starts.reserve(places.size() + 1);
  result.words.reserve(entries);
  result.counts.reserve(entries);
  for (const std::int64_t place : places) append_row(result, source, place);
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

LocalRows::LocalRows(const DataFile& file, std::span<const std::int64_t> rows)
    : ids_(rows.begin(), rows.end()) {
  const DataFacts& facts = file.facts();
  if (facts.layout == Layout::counts) {
    rows_ = CountRows{};
  } else {
    rows_ = empty_dense(facts, size());
  }
  for (std::size_t first = 0; first < rows.size();) {
    const std::size_t last = end_of_run(rows, first, row_bytes(facts));
    const Rows block = file.read(rows[first], rows[last - 1] + 1);
    take(block, rows[first], static_cast<std::int64_t>(first), static_cast<std::int64_t>(last));
    first = last;
  }
  if (ids_.empty()) return;
  places_.assign(static_cast<std::size_t>(ids_.back() - ids_.front() + 1), -1);
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    places_[static_cast<std::size_t>(ids_[i] - ids_.front())] = static_cast<std::int32_t>(i);
  }
  digest();
}

// Keeps places [first, last) of ids_ out of a block of file rows that begins at block_first.
void LocalRows::take(const Rows& block, std::int64_t block_first, std::int64_t first, std::int64_t last) {
  for (std::int64_t place = first; place < last; ++place) {
    const std::int64_t source = ids_[static_cast<std::size_t>(place)] - block_first;
    if (auto* counts = std::get_if<CountRows>(&rows_)) {
      append_row(*counts, std::get<CountRows>(block), source);
    } else {
      copy_row(std::get<DenseRows>(rows_), place, std::get<DenseRows>(block), source);
    }
  }
}

void LocalRows::digest() {
  for (std::int64_t place = 0; place < size(); ++place) {
    Sha256 row;
    row.add_integer(static_cast<std::uint64_t>(ids_[static_cast<std::size_t>(place)]));
    add_row(row, rows_, place);
    const Sha256::Digest bytes = row.finish();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      digest_lanes_[i / 8] += static_cast<std::uint64_t>(bytes[i]) << (8 * (i % 8));
    }
  }
  const auto* counts = std::get_if<CountRows>(&rows_);
  if (counts == nullptr) return;
  tokens_ = std::accumulate(counts->counts.begin(), counts->counts.end(), 0.0);
  for (std::size_t i = 1; i < counts->starts.size(); ++i)
    empty_rows_ += counts->starts[i] == counts->starts[i - 1];
}

Minibatch LocalRows::gather(std::span<const std::int64_t> rows, std::int64_t step) const {
  std::vector<std::int64_t> places;
  places.reserve(rows.size());
  for (const std::int64_t row : rows) {
    const std::int64_t offset = ids_.empty() ? -1 : row - ids_.front();
    const bool is_near = offset >= 0 && offset < std::ssize(places_);
    const std::int64_t place = is_near ? places_[static_cast<std::size_t>(offset)] : -1;
    if (place < 0) throw Error(ExitCode::internal, "row {} was asked of a rank that does not hold it", row);
    places.push_back(place);
  }
  return {.step = step,
          .ids = {rows.begin(), rows.end()},
          .rows = std::visit([&](const auto& kind) { return Rows(gathered(kind, places)); }, rows_)};
}

Minibatch LocalRows::slice(std::int64_t first, std::int64_t last, std::int64_t step) const {
  if (first < 0 || last < first || last > size()) {
    throw Error(ExitCode::internal, "rows {} to {} of {} held were asked for", first, last, size());
  }
  const std::span chosen =
      std::span(ids_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
  const auto* dense = std::get_if<DenseRows>(&rows_);
  if (dense == nullptr || !dense->features.defined()) return gather(chosen, step);
  DenseRows part{.features = dense->features.narrow(0, first, last - first), .labels = {}};
  if (dense->labels.defined()) part.labels = dense->labels.narrow(0, first, last - first);
  return {.step = step, .ids = {chosen.begin(), chosen.end()}, .rows = std::move(part)};
}

std::int64_t LocalRows::bytes() const {
  const auto index = static_cast<std::int64_t>(8 * ids_.size() + 4 * places_.size());
  return index + std::visit([](const auto& kind) { return held_bytes(kind); }, rows_);
}

}  // namespace svi::data
