#include "svi/data/text_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace svi::data {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (text.empty() || problem != std::errc() || rest != end) return std::nullopt;
  return number;
}

std::optional<double> real_number(std::string_view text) {
  double number = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (text.empty() || problem != std::errc() || rest != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t first = line.find_first_not_of(" \t"); first != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", first), line.size());
    words.push_back(line.substr(first, end - first));
    first = line.find_first_not_of(" \t", end);
  }
  return words;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string result = "\"";
  for (const char character : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(character);
    result += byte < 0x20U || byte == 0x7FU ? '?' : character;
  }
  return result + (text.size() > longest ? "…\"" : "\"");
}

}  // namespace svi::data
