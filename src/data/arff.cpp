#include "svi/data/arff.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string_view>

#include "svi/data/text_reader.hpp"

namespace svi::data {

namespace {

std::string lower(std::string_view text) {
  std::string result;
  for (const char character : text) {
    result += static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
  }
  return result;
}

char unescaped(char escaped) {
  switch (escaped) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    default:
      return escaped;
  }
}

// A quoted value; `place` is behind the opening quote and ends behind the closing one.
std::string quoted_value(const TextReader& reader, std::size_t& place, char quote) {
  const std::string& line = reader.line();
  std::string value;
  for (; place < line.size(); ++place) {
    if (line[place] == quote) {
      ++place;
      return value;
    }
    if (line[place] == '\\' && place + 1 < line.size()) {
      value += unescaped(line[++place]);
    } else {
      value += line[place];
    }
  }
  throw reader.problem("the quote {} is not closed", quote);
}

std::vector<std::string> values_of(const TextReader& reader) {
  const std::string& line = reader.line();
  std::vector<std::string> values;
  for (std::size_t place = 0;; ++place) {
    place = std::min(line.find_first_not_of(" \t", place), line.size());
    if (place < line.size() && (line[place] == '\'' || line[place] == '"')) {
      const char quote = line[place++];
      values.push_back(quoted_value(reader, place, quote));
      place = std::min(line.find_first_not_of(" \t", place), line.size());
      if (place < line.size() && line[place] != ',') throw reader.problem("text after a closing quote");
    } else {
      const std::size_t end = std::min(line.find(',', place), line.size());
      values.push_back(line.substr(place, end - place));
      place = end;
    }
    if (place >= line.size()) return values;
  }
}

struct Header {
  std::size_t attributes = 0;
  std::size_t wanted = 0;  // the place of the wanted attribute
};

// Reads up to and with the line @data.
Header read_header(TextReader& reader, const std::string& attribute) {
  Header header;
  bool is_found = false;
  while (reader.next()) {
    const auto words = words_of(reader.line());
    if (words.empty() || words[0].starts_with('%')) continue;
    const std::string keyword = lower(words[0]);
    if (keyword == "@data") {
      if (!is_found) throw reader.problem("no @attribute {} string stands before", attribute);
      return header;
    }
    if (keyword != "@attribute") continue;
    if (words.size() >= 3 && lower(words[1]) == lower(attribute) && lower(words[2]) == "string") {
      header.wanted = header.attributes;
      is_found = true;
    }
    ++header.attributes;
  }
  throw reader.problem("the file ends without @data");
}

}  // namespace

std::vector<std::string> read_arff_texts(const std::string& path, const std::string& attribute) {
  TextReader reader(path);
  const Header header = read_header(reader, attribute);
  std::vector<std::string> texts;
  while (reader.next()) {
    if (reader.line().empty() || reader.line()[0] == '%') continue;
    auto values = values_of(reader);
    if (values.size() != header.attributes) {
      throw reader.problem("has {} values, but the header names {} attributes", values.size(),
                           header.attributes);
    }
    texts.push_back(std::move(values[header.wanted]));
  }
  return texts;
}

}  // namespace svi::data
