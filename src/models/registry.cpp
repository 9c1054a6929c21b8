#include "svi/models/registry.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "svi/base/error.hpp"

namespace svi {

namespace {

// A function's static, since the order in which source files are initialised is not defined.
std::vector<ModelEntry>& entries() {
  static std::vector<ModelEntry> list;
  return list;
}

}  // namespace

std::int64_t DataShape::width() const {
  return std::accumulate(feature_shape.begin(), feature_shape.end(), std::int64_t{1}, std::multiplies<>());
}

const std::vector<ModelEntry>& models() { return entries(); }

const ModelEntry& find_model(const std::string& name) {
  std::string known;
  for (const ModelEntry& entry : entries()) {
    if (entry.name == name) return entry;
    known += (known.empty() ? "" : ", ") + entry.name;
  }
  throw Error(ExitCode::bad_config, "model.type is {}; expected one of: {}", name, known);
}

RegisterModel::RegisterModel(ModelEntry entry) {
  auto& list = entries();
  // By name, so that nothing depends on the order of linking.
  const auto place = std::find_if(list.begin(), list.end(),
                                  [&](const ModelEntry& other) { return other.name > entry.name; });
  list.insert(place, std::move(entry));
}

}  // namespace svi
