#include "svi/trainer/trained_model.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "svi/base/error.hpp"

namespace svi::trainer {

namespace {

// The files a person may mean, the likeliest first.
std::vector<std::string> candidates(const std::string& path) try {
  namespace fs = std::filesystem;
  if (!fs::exists(path)) {
    throw Error(ExitCode::missing_input, "{} does not exist; name a checkpoint or a run directory", path);
  }
  if (!fs::is_directory(path)) return {path};
  const fs::path inner = fs::path(path) / "checkpoints";
  const fs::path folder = fs::exists(inner) ? inner : fs::path(path);
  std::vector<std::string> numbered;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && name.ends_with(".h5")) numbered.push_back(entry.path().string());
  }
  std::sort(numbered.rbegin(), numbered.rend());
  if (fs::exists(folder / "best.h5")) numbered.insert(numbered.begin(), (folder / "best.h5").string());
  if (numbered.empty()) {
    throw Error(ExitCode::missing_input, "{} holds no checkpoint (best.h5 or step-*.h5)", folder.string());
  }
  return numbered;
} catch (const std::filesystem::filesystem_error& error) {
  throw Error(ExitCode::missing_input, "cannot look into {}: {}", path, error.code().message());
}

TrainedModel read_first_valid(const std::vector<std::string>& paths) {
  TrainedModel loaded;
  for (const std::string& path : paths) {
    try {
      loaded.checkpoint = checkpoint::read_checkpoint(path);
      loaded.path = path;
      return loaded;
    } catch (const Error& error) {
      if (paths.size() == 1) throw;
      loaded.rejected.emplace_back(error.what());
    }
  }
  throw Error(ExitCode::bad_data, "no checkpoint verifies: {}", fmt::join(loaded.rejected, "; "));
}

}  // namespace

TrainedModel load_model(const std::string& path) {
  TrainedModel loaded = read_first_valid(candidates(path));
  const checkpoint::CheckpointFacts& facts = loaded.checkpoint.facts;
  loaded.settings =
      Settings::read(config::Document::parse(facts.config_yaml, loaded.path + ": /config/yaml"));
  const DataShape shape{.training_rows = facts.training_rows,
                        .feature_shape = facts.feature_shape,
                        .split_seed = static_cast<std::uint64_t>(loaded.settings.data.split_seed),
                        .completion = completion_named(loaded.settings.evaluation.completion),
                        .word_priors = facts.word_priors};
  loaded.model = loaded.settings.model->build(shape);
  const std::vector<ParameterShape> shapes = loaded.model->parameter_shapes();
  if (loaded.checkpoint.state.parameters.shapes() != shapes || loaded.parameters().shapes() != shapes) {
    throw Error(ExitCode::bad_data,
                "{}: the parameters' names or shapes are not those of model.type {} with its configuration",
                loaded.path, facts.model);
  }
  return loaded;
}

}  // namespace svi::trainer
