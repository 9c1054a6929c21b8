#include "svi/core/completion.hpp"

#include <algorithm>
#include <numeric>

#include "svi/base/error.hpp"

namespace svi {

Completion completion_named(const std::string& name) {
  const auto place = std::find(completion_names.begin(), completion_names.end(), name);
  if (place != completion_names.end()) return static_cast<Completion>(place - completion_names.begin());
  throw Error(ExitCode::usage, "completion is {}; expected tokens, etm or even_odd", name);
}

std::int64_t observed_occurrences(std::uint64_t split_seed, std::int64_t document, std::int64_t word,
                                  std::int64_t count) {
  const Philox philox(split_seed);
  std::int64_t observed = 0;
  for (std::int64_t first = 0; first < count; first += 4) {
    const auto words =
        philox.words(Purpose::completion_half, static_cast<std::uint64_t>(word),
                     static_cast<std::uint64_t>(document), static_cast<std::uint64_t>(first / 4));
    for (std::int64_t i = 0; i < std::min<std::int64_t>(4, count - first); ++i) {
      observed += words[static_cast<std::size_t>(i)] % 2 == 0 ? 1 : 0;
    }
  }
  return observed;
}

namespace {

// The first half of the tokens, word after word.
std::vector<std::int64_t> first_half(std::span<const float> counts) {
  const auto tokens = static_cast<std::int64_t>(std::accumulate(counts.begin(), counts.end(), 0.0));
  std::int64_t left = tokens < 2 ? tokens : tokens / 2;
  std::vector<std::int64_t> observed;
  for (const float count : counts) {
    observed.push_back(std::min(left, static_cast<std::int64_t>(count)));
    left -= observed.back();
  }
  return observed;
}

}  // namespace

std::vector<std::int64_t> observed_half(Completion completion, std::uint64_t split_seed,
                                        std::int64_t document, std::span<const std::int32_t> words,
                                        std::span<const float> counts) {
  if (completion == Completion::etm) return first_half(counts);
  std::vector<std::int64_t> observed;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto count = static_cast<std::int64_t>(counts[i]);
    if (completion == Completion::even_odd) {
      observed.push_back(words[i] % 2 == 0 ? count : 0);
    } else {
      observed.push_back(observed_occurrences(split_seed, document, words[i], count));
    }
  }
  return observed;
}

}  // namespace svi
