#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "svi/config/document.hpp"
#include "svi/models/registry.hpp"
#include "svi/optim/update_rule.hpp"

namespace svi::trainer {

struct RunOptions {
  std::string name = "run";
  std::string directory = "runs";
  std::int64_t seed = 1;
  std::string warm_start;
  std::int64_t log_every_steps = 50;
  void describe(OptionSet& options);
};

struct DataOptions {
  std::string train;
  std::string test;
  std::string validation;
  double validation_fraction = 0;
  std::int64_t split_seed = 1;
  std::int64_t shards = 64;
  std::string shuffle = "full";
  std::int64_t window_rows = 2048;
  std::string memory_limit;
  std::int64_t labels = 0;
  void describe(OptionSet& options);
};

/// `data.memory_limit` as a number, 0: no limit; none when the text is no number of bytes.
std::optional<std::int64_t> memory_limit_bytes(const DataOptions& data);

struct TrainOptions {
  std::int64_t batch = 128;
  std::int64_t labelled_batch = 100;
  std::int64_t epochs = 10;
  std::int64_t steps = 0;
  std::int64_t nonfinite_steps = 0;
  void describe(OptionSet& options);
};

struct EvaluationOptions {
  std::int64_t every_epochs = 1;
  std::int64_t every_steps = 0;
  std::int64_t patience = 0;
  std::string completion = "tokens";
  std::string coherence_data;
  void describe(OptionSet& options);
};

struct CheckpointOptions {
  double every_seconds = 600;
  std::int64_t every_steps = 0;
  std::int64_t keep_last = 3;
  void describe(OptionSet& options);
};

struct CommunicationOptions {
  std::string backend = "auto";
  std::string reduction = "fast";
  std::int64_t staleness = 0;
  bool shared_memory = true;
  /// Sums of an earlier step's parameters travel beside those of the next: with staleness each rank has its own.
  bool shares_memory() const { return shared_memory && staleness == 0; }
  double timeout_seconds = 300;
  void describe(OptionSet& options);
};

struct DeviceOptions {
  std::string type = "auto";
  std::int64_t threads = 1;
  std::string precision = "float32";
  void describe(OptionSet& options);
};

/// The whole configuration, typed and checked; one member a section of the YAML file.
struct Settings {
  RunOptions run;
  DataOptions data;
  const ModelEntry* model_entry = nullptr;
  std::string model_type;
  std::unique_ptr<ModelOptions> model;  ///< sections model and objective
  OptimizerOptions optimizer;
  TrainOptions train;
  EvaluationOptions evaluation;
  CheckpointOptions checkpoint;
  CommunicationOptions communication;
  DeviceOptions device;

  /// @throws Error (bad_config) naming key, line, what was found and what is allowed
  static Settings read(config::Document document);

  /// Every section with its options, in the order of the file; points into this object.
  std::vector<config::Section> sections();
  /// directory/name, absolute.
  std::string run_directory() const;
};

/// Takes `device.threads` for this process: a model of counts computes on threads of its own, others on
/// LibTorch's.
void use_threads(const Settings& settings);

/// The sections of a configuration with this model and update rule at their defaults, for documentation.
Settings default_settings(const std::string& model, const std::string& update_rule);

/// What of a run's future depends on settings that else are free.
struct Dependence {
  bool on_length = false;       ///< a schedule of step sizes
  bool on_evaluations = false;  ///< parameters chosen at evaluations
};

/// The changed keys that make a run another run: "key: was X, is Y" each. What may change is `run` except its
/// seed, the run's length and `evaluation` where nothing depends on them, `checkpoint`, `communication`
/// except reduction, `device` except precision, the paths of data and of the file of priors (compared by
/// content) and `data.memory_limit`.
std::vector<std::string> changes_that_forbid_resume(const std::map<std::string, std::string>& before,
                                                    const std::map<std::string, std::string>& now,
                                                    Dependence dependence);

}  // namespace svi::trainer
