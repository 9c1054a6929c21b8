#include "pickle.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace svi::cli::pickle {

namespace {

// The lowest bytes of a number, the lowest first.
std::string little_endian(std::uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i) & 0xFF);
  return text;
}

std::string joined(const std::vector<Value>& values) {
  std::string all;
  for (const Value& value : values) all += value;
  return all;
}

}  // namespace

Value none() { return "N"; }

Value boolean(bool value) { return value ? "\x88" : "\x89"; }

Value integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  const bool is_short =
      value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max();
  return is_short ? joined({"J", little_endian(bits, 4)}) : joined({"\x8a\x08", little_endian(bits, 8)});
}

Value real(double value) {
  std::string bytes = little_endian(std::bit_cast<std::uint64_t>(value), 8);
  std::reverse(bytes.begin(), bytes.end());
  return joined({"G", bytes});
}

Value text(std::string_view utf8) { return joined({"X", little_endian(utf8.size(), 4), std::string(utf8)}); }

Value list(const std::vector<Value>& values) { return joined({"](", joined(values), "e"}); }

Value dict(const std::vector<std::pair<Value, Value>>& items) {
  std::string all = "}(";
  for (const auto& [key, value] : items) all.append(key).append(value);
  return all + "u";
}

Value global(std::string_view module, std::string_view name) {
  return joined({"c", std::string(module), "\n", std::string(name), "\n"});
}

Value call(const Value& function, const std::vector<Value>& arguments) {
  return joined({function, "(", joined(arguments), "tR"});
}

Value object(const Value& type, const std::vector<std::pair<std::string, Value>>& attributes) {
  std::vector<std::pair<Value, Value>> items;
  for (const auto& [name, value] : attributes) items.emplace_back(text(name), value);
  return joined({type, ")\x81", dict(items), "b"});
}

std::string document(const Value& value) { return joined({"\x80\x02", value, "."}); }

}  // namespace svi::cli::pickle
