#include "checked_numbers.hpp"

#include <cmath>

namespace svi::data {

std::int64_t checked_number(const TextReader& reader, std::int64_t line, std::string_view text,
                            const char* what, std::int64_t lowest, std::int64_t highest) {
  const auto number = whole_number(text);
  if (!number || *number < lowest || *number > highest) {
    throw reader.problem_at(line, "found {} as {}, expected a whole number from {} to {}", in_quotes(text),
                            what, lowest, highest);
  }
  return *number;
}

std::int64_t checked_number(const TextReader& reader, std::string_view text, const char* what,
                            std::int64_t lowest, std::int64_t highest) {
  return checked_number(reader, reader.line_number(), text, what, lowest, highest);
}

bool is_count(double number) {
  return number >= 0 && number <= static_cast<double>(highest_exact_count) && number == std::floor(number);
}

std::int64_t real_count(const TextReader& reader, std::int64_t line, std::string_view text) {
  const auto number = real_number(text);
  if (number && is_count(*number)) return static_cast<std::int64_t>(*number);
  return checked_number(reader, line, text, "the count", 0, highest_exact_count);
}

}  // namespace svi::data
