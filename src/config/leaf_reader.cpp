#include "leaf_reader.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "plain_text.hpp"
#include "svi/base/error.hpp"
#include "svi/base/utf8.hpp"

namespace svi::config {

namespace {

constexpr std::size_t deepest_nesting = 16;

class LeafReader final : public YAML::EventHandler {
 public:
  LeafReader(const Origin& origin, std::string prefix, std::map<std::string, Leaf>& leaves)
      : origin_(origin), prefix_(std::move(prefix)), leaves_(leaves) {}

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { leave(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override;
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override;

  bool is_empty() const { return !has_document_; }
  /// Where the parser had come to, from 1.
  int last_line() const { return last_line_; }

 private:
  struct Level {
    std::string path;
    bool is_list = false;
    YAML::Mark start;
    std::string key = {};  // the one whose value comes next; empty: a key comes next
    std::set<std::string> keys = {};
  };

  template <typename... Arguments>
  [[noreturn]] void refuse(const YAML::Mark& mark, fmt::format_string<Arguments...> format,
                           Arguments&&... arguments) const {
    throw Error(ExitCode::bad_config, "{}: {}", origin_.at(mark.line + 1),
                fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  bool awaits_key() const {
    return !levels_.empty() && !levels_.back().is_list && levels_.back().key.empty();
  }
  bool is_in_list() const { return !levels_.empty() && levels_.back().is_list; }
  std::string path() const;
  void refuse_extras(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor);
  void enter(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool is_list);
  void leave();
  void take_key(const YAML::Mark& mark, const std::string& key);
  Leaf& add_leaf(const YAML::Mark& mark, bool is_list);

  const Origin& origin_;
  std::string prefix_;
  std::map<std::string, Leaf>& leaves_;
  std::vector<Level> levels_;
  bool has_document_ = false;
  int last_line_ = 1;
};

// The key of the value that comes now.
std::string LeafReader::path() const {
  if (levels_.empty()) return prefix_;
  const Level& level = levels_.back();
  if (level.path.empty() || level.is_list) return level.path + level.key;
  return level.path + '.' + level.key;
}

void LeafReader::OnDocumentStart(const YAML::Mark& mark) {
  if (has_document_) refuse(mark, "a second YAML document starts here; expected one");
  has_document_ = true;
}

void LeafReader::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  refuse_extras(mark, "", anchor);
  if (awaits_key()) refuse(mark, "a value has no key");
  if (path().empty())
    refuse(YAML::Mark(), "the configuration is empty; expected sections such as \"train:\"");
  if (is_in_list()) refuse(mark, "{} has an empty element", excerpt(path()));
  refuse(mark, "{} has no value; give it one (\"\" is the empty text) or remove the key", excerpt(path()));
}

void LeafReader::OnAlias(const YAML::Mark& mark, YAML::anchor_t) {
  refuse(mark, "YAML aliases (*name) are not accepted; write the value out");
}

void LeafReader::OnAnchor(const YAML::Mark& mark, const std::string&) {
  refuse(mark, "YAML anchors (&name) are not accepted; write the value where it is used");
}

void LeafReader::refuse_extras(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
  last_line_ = mark.line + 1;
  if (anchor != YAML::NullAnchor) refuse(mark, "YAML anchors (&name) are not accepted");
  // yaml-cpp gives "?" to what has no tag and "!" to quoted text.
  if (tag.empty() || tag == "?" || tag == "!") return;
  refuse(mark, "YAML tags are not accepted, found {}; remove it", excerpt(tag));
}

void LeafReader::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                          const std::string& value) {
  refuse_extras(mark, tag, anchor);
  if (has_control_character(value)) {
    refuse(mark, "a text holds a line break, tab or control character; write it on one line without them");
  }
  if (awaits_key()) return take_key(mark, value);
  if (path().empty())
    refuse(mark, "found \"{}\" alone; expected sections such as \"train:\"", excerpt(value));
  Leaf& leaf = is_in_list() ? leaves_.at(path()) : add_leaf(mark, false);
  leaf.texts.push_back(value);
  leaf.is_quoted = leaf.is_quoted || tag == "!";
  if (!levels_.empty()) levels_.back().key.clear();
}

void LeafReader::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                 YAML::EmitterStyle::value) {
  enter(mark, tag, anchor, true);
  add_leaf(mark, true);
}

void LeafReader::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                            YAML::EmitterStyle::value) {
  enter(mark, tag, anchor, false);
}

void LeafReader::OnMapEnd() {
  const Level& level = levels_.back();
  if (level.keys.empty()) {
    refuse(level.start, "{} has no keys; give it some or remove it",
           level.path.empty() ? "the configuration" : excerpt(level.path));
  }
  leave();
}

void LeafReader::enter(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool is_list) {
  refuse_extras(mark, tag, anchor);
  if (levels_.size() == deepest_nesting) refuse(mark, "nested deeper than {} levels", deepest_nesting);
  if (awaits_key()) refuse(mark, "found a list or mapping where a key belongs; is a bracket not closed?");
  if (is_list && path().empty()) refuse(mark, "found a list; expected sections such as \"train:\"");
  if (is_in_list()) refuse(mark, "{} holds a list or mapping; expected single values", excerpt(path()));
  levels_.push_back({.path = path(), .is_list = is_list, .start = mark});
}

void LeafReader::leave() {
  levels_.pop_back();
  if (!levels_.empty()) levels_.back().key.clear();
}

void LeafReader::take_key(const YAML::Mark& mark, const std::string& key) {
  if (key.empty()) refuse(mark, "a key is the empty text; expected a name");
  Level& level = levels_.back();
  level.key = key;
  if (!level.keys.insert(key).second) refuse(mark, "{} is given twice; keep one", excerpt(path()));
}

Leaf& LeafReader::add_leaf(const YAML::Mark& mark, bool is_list) {
  const auto [place, is_new] = leaves_.try_emplace(path());
  if (!is_new) refuse(mark, "{} is given twice, also at {}; keep one", excerpt(path()), place->second.place);
  place->second.place = origin_.at(mark.line + 1);
  place->second.is_list = is_list;
  return place->second;
}

[[noreturn]] void refuse_syntax(const YAML::Exception& problem, const Origin& origin, int last_line) {
  if (problem.msg == YAML::ErrorMsg::DOC_IN_SCALAR) {
    throw Error(ExitCode::bad_config, "{}: a quotation mark is not closed, here or further down",
                origin.at(last_line));
  }
  const std::string what = problem.msg == YAML::ErrorMsg::END_OF_MAP
                               ? "expected \"key: value\", indented like the keys beside it"
                               : problem.msg;
  throw Error(ExitCode::bad_config, "{}: not valid YAML: {}", origin.at(problem.mark.line + 1), what);
}

}  // namespace

std::string Origin::at(int line) const {
  return has_lines ? fmt::format("{}:{}", source, std::max(line, 1)) : source;
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 60;
  if (text.size() <= longest) return std::string(text);
  std::size_t end = longest;
  while (end > 0 && is_utf8_continuation(text[end])) --end;  // not inside a letter
  return std::string(text.substr(0, end)) + "…";
}

void read_leaves(std::string_view text, const Origin& origin, const std::string& prefix,
                 std::map<std::string, Leaf>& leaves) {
  require_plain_text(text, origin);
  // yaml-cpp takes the end of the file for a closing quotation mark, but not the end of a document.
  std::istringstream stream(std::string(text) + "\n...\n");
  LeafReader reader(origin, prefix, leaves);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(reader)) {
    }
    if (reader.is_empty()) reader.OnNull(YAML::Mark(), YAML::NullAnchor);
  } catch (const YAML::Exception& problem) {
    refuse_syntax(problem, origin, reader.last_line());
  }
}

}  // namespace svi::config
