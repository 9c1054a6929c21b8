#include "svi/cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "svi/base/utf8.hpp"

namespace svi::cli {

namespace {

constexpr std::string_view gap = "  ";

// Of ASCII, and the second set U+0080 to U+009F, in which U+009B begins a terminal's commands too.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

std::string written_out(std::string_view bytes) {
  if (bytes == "\n") return "\\n";
  if (bytes == "\t") return "\\t";
  std::string text;
  for (const char byte : bytes) text += fmt::format("\\x{:02X}", static_cast<unsigned char>(byte));
  return text;
}

std::string joined(const std::vector<Field>& fields) {
  std::string line;
  for (const Field& field : fields) line += (line.empty() ? "" : std::string(gap)) + field.text;
  return line;
}

}  // namespace

std::size_t width_of(std::string_view text) {
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_utf8_continuation));
}

std::string printable(std::string_view text, std::string_view kept) {
  std::string result;
  for (std::size_t place = 0; place < text.size();) {
    const std::size_t length = utf8_length(text.substr(place));
    const std::string_view character = text.substr(place, std::max<std::size_t>(1, length));
    const bool is_kept = length > 0 && (!is_control(character) || kept.find(character) != kept.npos);
    result += is_kept ? std::string(character) : written_out(character);
    place += character.size();
  }
  return result;
}

std::string fitted(std::vector<Field> fields, std::size_t columns) {
  const auto is_less = [](const Field& a, const Field& b) { return a.importance < b.importance; };
  while (fields.size() > 1 && width_of(joined(fields)) > columns)
    fields.erase(std::min_element(fields.begin(), fields.end(), is_less));
  return joined(fields);
}

std::string wrapped(const std::vector<std::string>& fields, std::size_t columns, std::string_view between) {
  std::string text;
  std::size_t width = 0;  // of the last line
  for (const std::string& field : fields) {
    std::string_view before = text.empty() ? std::string_view() : between;
    if (width > 0 && width + before.size() + width_of(field) > columns) {
      text += '\n';
      width = 0;
      before = gap;
    }
    text += before;
    text += field;
    width += before.size() + width_of(field);
  }
  return text;
}

std::string wrapped_words(const std::string& text, std::size_t columns) {
  std::istringstream words(text);
  return wrapped({std::istream_iterator<std::string>(words), {}}, columns, " ");
}

}  // namespace svi::cli
