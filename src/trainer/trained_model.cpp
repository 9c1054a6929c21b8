#include "svi/trainer/trained_model.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "svi/base/error.hpp"

namespace svi::trainer {

std::string find_checkpoint(const std::string& path) {
  namespace fs = std::filesystem;
  if (!fs::exists(path)) throw Error(ExitCode::missing_input, "{} does not exist; name a checkpoint or a run directory", path);
  if (!fs::is_directory(path)) return path;
  const fs::path folder = fs::exists(fs::path(path) / "checkpoints") ? fs::path(path) / "checkpoints" : fs::path(path);
  if (fs::exists(folder / "best.h5")) return (folder / "best.h5").string();
  std::vector<std::string> numbered;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && name.ends_with(".h5")) numbered.push_back(entry.path().string());
  }
  if (numbered.empty()) throw Error(ExitCode::missing_input, "{} holds no checkpoint (best.h5 or step-*.h5)", folder.string());
  return *std::max_element(numbered.begin(), numbered.end());
}

TrainedModel load_model(const std::string& path) {
  TrainedModel loaded;
  loaded.path = find_checkpoint(path);
  loaded.checkpoint = checkpoint::read_checkpoint(loaded.path);
  const checkpoint::CheckpointFacts& facts = loaded.checkpoint.facts;
  loaded.settings = Settings::read(config::Document::parse(facts.config_yaml, loaded.path + ": /config/yaml"));
  const DataShape shape{.is_counts = loaded.settings.model_entry->needs_counts,
                        .training_rows = facts.training_rows,
                        .feature_shape = facts.feature_shape,
                        .split_seed = static_cast<std::uint64_t>(loaded.settings.data.split_seed)};
  loaded.model = loaded.settings.model->build(shape);
  if (loaded.parameters().shapes() != loaded.model->parameter_shapes()) {
    throw Error(ExitCode::bad_data, "{}: the parameters' names or shapes are not those of model.type {} with its configuration",
                loaded.path, facts.model);
  }
  return loaded;
}

}  // namespace svi::trainer
