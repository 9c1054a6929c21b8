#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace svi::data {

/// Calls `take` with each token of a text: a longest run of letters, in lower case.
///
/// Letters and their case are Unicode's (UTF-8); digits, punctuation, symbols and bytes that are not UTF-8
/// separate, so that numbers vanish and "x86" becomes "x". The view lives until the next token.
/// @param shortest letters that a token has at least
/// @throws Error (internal) when the system has no UTF-8 locale
void for_each_token(std::string_view text, int shortest, const std::function<void(std::string_view)>& take);

/// Words that carry no topic.
using StopWords = std::unordered_set<std::string>;

/// English articles, pronouns, prepositions, conjunctions, auxiliaries and common adverbs.
const StopWords& english_stop_words();

/// "english", "none", or a file with a word a line (case ignored; empty lines and those with # skipped).
/// @throws Error (missing_input)
StopWords stop_words(const std::string& name);

}  // namespace svi::data
