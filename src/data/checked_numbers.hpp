#pragma once

#include <string_view>

#include "svi/data/text_reader.hpp"

namespace svi::data {

inline constexpr std::int64_t most_documents = 100'000'000;
inline constexpr std::int64_t most_words = 10'000'000;
inline constexpr std::int64_t highest_exact_count = 1 << 24;  // beyond it float32 skips whole numbers

/// The whole number that a text is.
/// @param what for messages: "the word" @throws Error (bad_data) about the line, naming text, meaning and
/// range
std::int64_t checked_number(const TextReader& reader, std::int64_t line, std::string_view text,
                            const char* what, std::int64_t lowest, std::int64_t highest);
/// The same about the present line.
std::int64_t checked_number(const TextReader& reader, std::string_view text, const char* what,
                            std::int64_t lowest, std::int64_t highest);

/// Whether a number is a count: whole, from 0 to highest_exact_count; NaN is none.
bool is_count(double number);

/// A count from 0 on, which may be written 3.0 or 3e0. @throws Error as checked_number
std::int64_t real_count(const TextReader& reader, std::int64_t line, std::string_view text);

}  // namespace svi::data
