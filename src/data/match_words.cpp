#include "svi/data/match_words.hpp"

#include <numeric>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "svi/base/error.hpp"
#include "svi/data/corpus.hpp"

namespace svi::data {

namespace {

using Numbers = std::unordered_map<std::string_view, std::int32_t>;

Numbers numbers_of(const std::vector<std::string>& words, const std::string& key) {
  Numbers numbers;
  numbers.reserve(words.size());
  for (const std::string& word : words) {
    const auto number = static_cast<std::int32_t>(numbers.size());
    const auto [other, is_new] = numbers.emplace(word, number);
    if (is_new) continue;
    throw Error(ExitCode::bad_data,
                "{}: words {} and {} are both \"{}\", so words cannot be matched by name; make the names "
                "differ, or add up the two columns",
                key, other->second, number, word);
  }
  return numbers;
}

}  // namespace

std::vector<std::int32_t> match_words(const std::vector<std::string>& theirs,
                                      const std::vector<std::string>& ours, const std::string& key) {
  std::vector<std::int32_t> matched(theirs.size());
  if (theirs == ours) {
    std::iota(matched.begin(), matched.end(), 0);
    return matched;
  }
  const Numbers numbers = numbers_of(ours, "the model's vocabulary");
  numbers_of(theirs, key);
  for (std::size_t word = 0; word < theirs.size(); ++word) {
    const auto found = numbers.find(theirs[word]);
    matched[word] = found == numbers.end() ? -1 : found->second;
  }
  return matched;
}

CountRows renumbered(const CountRows& rows, std::span<const std::int32_t> numbers) {
  CountRows result;
  for (std::size_t row = 0; row + 1 < rows.starts.size(); ++row) {
    for (auto i = static_cast<std::size_t>(rows.starts[row]); std::cmp_less(i, rows.starts[row + 1]); ++i) {
      const std::int32_t number = numbers[static_cast<std::size_t>(rows.words[i])];
      if (number < 0) continue;
      result.words.push_back(number);
      result.counts.push_back(rows.counts[i]);
    }
    end_row(result);
  }
  return result;
}

}  // namespace svi::data
