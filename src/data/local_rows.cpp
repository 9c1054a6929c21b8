#include "svi/data/local_rows.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "row_copies.hpp"
#include "row_digest.hpp"
#include "svi/base/error.hpp"
#include "svi/base/sha256.hpp"
#include "svi/data/match_words.hpp"

namespace svi::data {

namespace {

constexpr std::int64_t rows_at_once = 4096;  // of a pass over a file

}  // namespace

LocalRows::LocalRows(const DataFile& file, std::span<const std::int64_t> rows)
    : ids_(rows.begin(), rows.end()), rows_(read_rows(file, rows)) {
  if (ids_.empty()) return;
  places_.assign(static_cast<std::size_t>(ids_.back() - ids_.front() + 1), -1);
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    places_[static_cast<std::size_t>(ids_[i] - ids_.front())] = static_cast<std::int32_t>(i);
  }
  take_in(rows_, ids_);
}

LocalRows LocalRows::in_file(std::shared_ptr<const DataFile> file, std::span<const std::int64_t> rows) {
  LocalRows result;
  result.ids_.assign(rows.begin(), rows.end());
  result.file_ = std::move(file);
  for (std::int64_t first = 0; first < result.size(); first += rows_at_once) {
    const Minibatch part = result.slice(first, std::min(first + rows_at_once, result.size()), 0);
    result.take_in(part.rows, part.ids);
  }
  return result;
}

void LocalRows::renumber(std::span<const std::int32_t> numbers) {
  if (const auto* counts = std::get_if<CountRows>(&rows_)) rows_ = renumbered(*counts, numbers);
}

void LocalRows::hide_labels_but(std::span<const std::int64_t> rows) {
  auto* dense = std::get_if<DenseRows>(&rows_);
  if (dense == nullptr || !dense->labels.defined()) return;
  auto* labels = dense->labels.mutable_data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    if (!std::ranges::binary_search(rows, ids_[i])) labels[i] = -1;
  }
}

void LocalRows::take_in(const Rows& rows, std::span<const std::int64_t> ids) {
  for (std::int64_t place = 0; place < std::ssize(ids); ++place) {
    Sha256 row;
    row.add_integer(static_cast<std::uint64_t>(ids[static_cast<std::size_t>(place)]));
    add_row(row, rows, place);
    const Sha256::Digest bytes = row.finish();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      digest_lanes_[i / 8] += static_cast<std::uint64_t>(bytes[i]) << (8 * (i % 8));
    }
  }
  const auto* counts = std::get_if<CountRows>(&rows);
  if (counts == nullptr) return;
  tokens_ += std::accumulate(counts->counts.begin(), counts->counts.end(), 0.0);
  for (std::size_t i = 1; i < counts->starts.size(); ++i)
    empty_rows_ += counts->starts[i] == counts->starts[i - 1];
}

std::int64_t LocalRows::place_of_row(std::int64_t row) const {
  const std::int64_t offset = ids_.empty() ? -1 : row - ids_.front();
  const bool is_near = offset >= 0 && offset < std::ssize(places_);
  const std::int64_t place = is_near ? places_[static_cast<std::size_t>(offset)] : -1;
  if (place < 0) throw Error(ExitCode::internal, "row {} was asked of a rank that does not hold it", row);
  return place;
}

Minibatch LocalRows::gather(std::span<const std::int64_t> rows, std::int64_t step) const {
  std::vector<std::int64_t> places;
  places.reserve(rows.size());
  for (const std::int64_t row : rows) places.push_back(place_of_row(row));
  return {.step = step, .ids = {rows.begin(), rows.end()}, .rows = gathered(rows_, places)};
}

Minibatch LocalRows::slice(std::int64_t first, std::int64_t last, std::int64_t step) const {
  if (first < 0 || last < first || last > size()) {
    throw Error(ExitCode::internal, "rows {} to {} of {} held were asked for", first, last, size());
  }
  const std::span chosen =
      std::span(ids_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
  if (file_) return {.step = step, .ids = {chosen.begin(), chosen.end()}, .rows = read_rows(*file_, chosen)};
  const auto* dense = std::get_if<DenseRows>(&rows_);
  if (dense == nullptr || !dense->features.defined()) return gather(chosen, step);
  DenseRows part{.features = dense->features.narrow(0, first, last - first), .labels = {}};
  if (dense->labels.defined()) part.labels = dense->labels.narrow(0, first, last - first);
  return {.step = step, .ids = {chosen.begin(), chosen.end()}, .rows = std::move(part)};
}

std::int64_t LocalRows::bytes() const {
  return static_cast<std::int64_t>(8 * ids_.size() + 4 * places_.size()) + bytes_of(rows_);
}

}  // namespace svi::data
