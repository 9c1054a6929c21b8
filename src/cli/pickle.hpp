#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Python values as pickles of protocol 2 (PEP 307), as far as an export needs them: written, never read.
///
/// Each function returns the opcodes that push its value, so that values are put together as strings.
namespace svi::cli::pickle {

using Value = std::string;

Value none();
Value boolean(bool value);
Value integer(std::int64_t value);
Value real(double value);
Value text(std::string_view utf8);
Value list(const std::vector<Value>& values);
Value dict(const std::vector<std::pair<Value, Value>>& items);
/// What `from module import name` gives.
Value global(std::string_view module, std::string_view name);
Value call(const Value& function, const std::vector<Value>& arguments);
/// An object made by `__new__` alone, with these attributes.
Value object(const Value& type, const std::vector<std::pair<std::string, Value>>& attributes);

/// A file's contents.
std::string document(const Value& value);

}  // namespace svi::cli::pickle
