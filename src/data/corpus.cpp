#include "svi/data/corpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <utility>

#include "svi/base/units.hpp"

namespace svi::data {

std::string counts_text(const CountsSummary& summary) {
  return fmt::format("{} documents, {} words, {} entries, {} tokens", count_text(summary.documents),
                     count_text(summary.words), count_text(summary.entries),
                     count_text(static_cast<std::int64_t>(summary.tokens)));
}

std::int64_t end_row(CountRows& rows) {
  const auto first = static_cast<std::size_t>(rows.starts.back());
  const std::size_t size = rows.words.size() - first;
  std::vector<std::pair<std::int32_t, float>> entries(size);
  for (std::size_t i = 0; i < size; ++i) entries[i] = {rows.words[first + i], rows.counts[first + i]};
  std::sort(entries.begin(), entries.end());
  std::int64_t repeated = -1;
  for (std::size_t i = 0; i < size; ++i) {
    std::tie(rows.words[first + i], rows.counts[first + i]) = entries[i];
    if (i > 0 && entries[i].first == entries[i - 1].first) repeated = entries[i].first;
  }
  rows.starts.push_back(static_cast<std::int64_t>(rows.words.size()));
  return repeated;
}

}  // namespace svi::data
