#include "row_digest.hpp"

#include <ATen/ATen.h>

#include <span>

namespace svi::data {

namespace {

void add(Sha256& digest, const DenseRows& rows, std::int64_t place) {
  const auto row_bytes = static_cast<std::size_t>(rows.features.size(1)) * rows.features.element_size();
  const auto* bytes = static_cast<const std::byte*>(rows.features.const_data_ptr());
  digest.add(std::span(bytes + static_cast<std::size_t>(place) * row_bytes, row_bytes));
  if (rows.labels.defined()) {
    digest.add_integer(static_cast<std::uint64_t>(rows.labels.const_data_ptr<std::int64_t>()[place]));
  }
}

void add(Sha256& digest, const CountRows& rows, std::int64_t place) {
  const auto begin = static_cast<std::size_t>(rows.starts[static_cast<std::size_t>(place)]);
  const auto end = static_cast<std::size_t>(rows.starts[static_cast<std::size_t>(place) + 1]);
  digest.add_integer(end - begin);
  digest.add(std::as_bytes(std::span(rows.words).subspan(begin, end - begin)));
  digest.add(std::as_bytes(std::span(rows.counts).subspan(begin, end - begin)));
}

}  // namespace

void add_row(Sha256& digest, const Rows& rows, std::int64_t place) {
  std::visit([&](const auto& kind) { add(digest, kind, place); }, rows);
}

}  // namespace svi::data
