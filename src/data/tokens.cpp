#include "svi/data/tokens.hpp"

#include <clocale>
#include <cstdint>
#include <cwctype>

#include "svi/base/error.hpp"
#include "svi/data/text_reader.hpp"

namespace svi::data {

namespace {

constexpr std::uint32_t not_a_character = 0;

locale_t unicode_locale() {
  static const locale_t locale = [] {
    for (const char* name : {"C.UTF-8", "C.utf8", "en_US.UTF-8"}) {
      if (locale_t found = newlocale(LC_CTYPE_MASK, name, nullptr); found != nullptr) return found;
    }
    throw Error(ExitCode::internal,
                "the system has neither the locale C.UTF-8 nor en_US.UTF-8, which say what "
                "a letter is");
  }();
  return locale;
}

// The character that starts at `place`, which moves behind it; not_a_character moves by one byte.
std::uint32_t next_character(std::string_view text, std::size_t& place) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t first = byte(place++);
  if (first < 0x80U) return first;
  const std::size_t more = first >= 0xF0U ? 3 : first >= 0xE0U ? 2 : 1;
  if (first < 0xC2U || first > 0xF4U || place + more > text.size()) return not_a_character;
  std::uint32_t character = first & (0x3FU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    if ((byte(place + i) & 0xC0U) != 0x80U) return not_a_character;
    character = character << 6U | (byte(place + i) & 0x3FU);
  }
  place += more;
  return character;
}

void append_utf8(std::uint32_t character, std::string& text) {
  const auto tail = [&](unsigned shift) { text += static_cast<char>(0x80U | (character >> shift & 0x3FU)); };
  if (character < 0x80U) {
    text += static_cast<char>(character);
  } else if (character < 0x800U) {
    text += static_cast<char>(0xC0U | character >> 6U);
    tail(0);
  } else if (character < 0x10000U) {
    text += static_cast<char>(0xE0U | character >> 12U);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0U | character >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

// The letter in lower case, or not_a_character for anything but a letter.
std::uint32_t letter(std::uint32_t character) {
  if (character < 0x80U) {
    if (character >= 'A' && character <= 'Z') return character + ('a' - 'A');
    return character >= 'a' && character <= 'z' ? character : not_a_character;
  }
  const auto wide = static_cast<std::wint_t>(character);
  if (iswalpha_l(wide, unicode_locale()) == 0) return not_a_character;
  return static_cast<std::uint32_t>(towlower_l(wide, unicode_locale()));
}

}  // namespace

void for_each_token(std::string_view text, int shortest, const std::function<void(std::string_view)>& take) {
  std::string token;
  int letters = 0;
  for (std::size_t place = 0; place <= text.size();) {
    const bool is_end = place == text.size();
    const std::uint32_t found = is_end ? not_a_character : letter(next_character(text, place));
    if (is_end) ++place;
    if (found != not_a_character) {
      append_utf8(found, token);
      ++letters;
    } else if (letters > 0) {
      if (letters >= shortest) take(token);
      token.clear();
      letters = 0;
    }
  }
}

StopWords stop_words(const std::string& name) {
  if (name == "none") return {};
  if (name == "english") return english_stop_words();
  StopWords words;
  TextReader reader(name);
  while (reader.next()) {
    if (reader.line().find('#') != std::string::npos) continue;
    for_each_token(reader.line(), 1, [&](std::string_view word) { words.emplace(word); });
  }
  return words;
}

}  // namespace svi::data
