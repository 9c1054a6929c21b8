#include "svi/data/descriptions.hpp"

#include <algorithm>

#include "svi/data/text_reader.hpp"

namespace svi::data {

namespace {

std::string without_leading_blanks(const std::string& text) {
  return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

std::string value_or(const Stanza& stanza, const std::string& field, const std::string& otherwise) {
  const auto found = stanza.find(field);
  return found == stanza.end() ? otherwise : found->second;
}

// MD5 of the English description → its paragraphs, without the synopsis of the first line.
std::map<std::string, std::string> long_descriptions(const std::vector<std::string>& translations) {
  std::map<std::string, std::string> descriptions;
  for (const std::string& path : translations) {
    for_each_stanza(path, {"Description-md5", "Description-en"}, [&](const Stanza& stanza) {
      const std::string text = value_or(stanza, "Description-en", "");
      const std::size_t end_of_synopsis = text.find('\n');
      if (end_of_synopsis == std::string::npos) return;
      descriptions.emplace(value_or(stanza, "Description-md5", ""), text.substr(end_of_synopsis + 1));
    });
  }
  return descriptions;
}

// Source package → binary package → MD5 of its description.
std::map<std::string, std::map<std::string, std::string>> binaries_of_sources(
    const std::vector<std::string>& package_lists) {
  std::map<std::string, std::map<std::string, std::string>> sources;
  for (const std::string& path : package_lists) {
    for_each_stanza(path, {"Package", "Source", "Description-md5"}, [&](const Stanza& stanza) {
      const std::string package = value_or(stanza, "Package", "");
      const std::string source = value_or(stanza, "Source", package);  // "name" or "name (version)"
      sources[source.substr(0, source.find(' '))].emplace(package, value_or(stanza, "Description-md5", ""));
    });
  }
  return sources;
}

}  // namespace

void for_each_stanza(const std::string& path, const std::vector<std::string>& fields,
                     const std::function<void(const Stanza&)>& take) {
  TextReader reader(path);
  Stanza stanza;
  std::string* value = nullptr;  // of the field that a continuation line extends; null: not kept
  bool is_inside = false;
  const auto end_stanza = [&] {
    if (!stanza.empty()) take(stanza);
    stanza.clear();
    is_inside = false;
  };
  while (reader.next()) {
    const std::string& line = reader.line();
    const std::size_t colon = line.find(':');
    if (line.empty()) {
      end_stanza();
    } else if (line[0] == ' ' || line[0] == '\t') {
      if (!is_inside) throw reader.problem("a continuation line without a field before it");
      if (value != nullptr) value->append("\n").append(without_leading_blanks(line));
    } else if (colon == std::string::npos) {
      throw reader.problem("found {}, expected \"Field: value\"", in_quotes(line));
    } else {
      const std::string field = line.substr(0, colon);
      const bool is_kept = std::find(fields.begin(), fields.end(), field) != fields.end();
      value = is_kept ? &(stanza[field] = without_leading_blanks(line.substr(colon + 1))) : nullptr;
      is_inside = true;
    }
  }
  end_stanza();
}

std::vector<Document> source_descriptions(const std::vector<std::string>& package_lists,
                                          const std::vector<std::string>& translations) {
  const auto descriptions = long_descriptions(translations);
  std::vector<Document> documents;
  for (const auto& [source, binaries] : binaries_of_sources(package_lists)) {
    std::vector<std::string> distinct;
    for (const auto& [package, md5] : binaries) {
      const auto found = descriptions.find(md5);
      if (found == descriptions.end()) continue;
      if (std::find(distinct.begin(), distinct.end(), found->second) == distinct.end())
        distinct.push_back(found->second);
    }
    if (distinct.empty()) continue;
    Document document{.id = source};
    for (const std::string& text : distinct) document.text.append(text).append("\n");
    documents.push_back(std::move(document));
  }
  return documents;
}

}  // namespace svi::data
