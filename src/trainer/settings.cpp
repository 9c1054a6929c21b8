#include "svi/trainer/settings.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "svi/base/error.hpp"
#include "svi/base/units.hpp"
#include "svi/core/parallel.hpp"

namespace svi::trainer {

void RunOptions::describe(OptionSet& options) {
  options.text("name", name, "the run directory is directory/name");
  options.text("directory", directory, "where run directories are made");
  options.integer("seed", seed, Range::between(0, 9e15), "", "keys every random number of the run");
  options.text("warm_start", warm_start,
               "a checkpoint or run directory whose parameters a new run begins with; words are matched by "
               "name, new ones get the prior; not read on resume; empty: none");
  options.integer(
      "log_every_steps", log_every_steps, Range::at_least(1), "steps",
      "distance of training lines in metrics.jsonl and train.log; standard output shows at most one "
      "in 10 seconds");
}

void DataOptions::describe(OptionSet& options) {
  options.text("train", train, "training data: an HDF5 file, see svi-data");
  options.text("test", test, "evaluated at the end, never steers; empty: none");
  options.text("validation", validation, "a file whose figures choose the best checkpoint; empty: none");
  options.real("validation.fraction", validation_fraction,
               {.lowest = 0, .highest = 1, .highest_is_open = true}, "",
               "share of the training rows held out in place of a file");
  options.integer("split_seed", split_seed, Range::between(0, 9e15), "",
                  "keys that choice and the completion halves");
  options.integer("shards", shards, Range::between(1, 1 << 20), "shards",
                  "virtual shards; the largest number of ranks, and part of what fixes every minibatch");
  options.choice(
      "shuffle", shuffle, {"full", "windowed"},
      "what mixes a shard's rows each epoch: a permutation of all, or of blocks and then within windows, "
      "which can stream from a file larger than memory");
  options.integer(
      "window_rows", window_rows, Range::between(1, 1 << 30), "rows",
      "windowed: rows of each shard that are shuffled together; two windows a shard are in memory");
  options.text(
      "memory_limit", memory_limit,
      "most memory for the training rows of a rank, such as \"1 GiB\", and for its held-out rows: more "
      "of them stay in the file and stream, which takes shuffle: windowed; empty or 0: hold all");
  options.integer(
      "labels", labels, Range::at_least(0), "labels",
      "of a model of labels: how many training rows keep theirs, chosen evenly by class and keyed "
      "by run.seed, the rest hidden; 0: all that the file has");
}

std::optional<std::int64_t> memory_limit_bytes(const DataOptions& data) {
  return data.memory_limit.empty() ? 0 : bytes_of_text(data.memory_limit);
}

void TrainOptions::describe(OptionSet& options) {
  options.integer("batch", batch, Range::at_least(1), "rows",
                  "S, the global minibatch, whatever the number of ranks");
  options.integer(
      "labelled_batch", labelled_batch, Range::at_least(1), "rows",
      "of a model of labels where not all rows have one: the labelled rows of a step, besides batch "
      "of the others, of which an epoch is one pass");
  options.integer("epochs", epochs, Range::at_least(1), "epochs", "passes over the training rows");
  options.integer("steps", steps, Range::at_least(0), "steps",
                  "length of the run in place of epochs; 0: use epochs");
  options.integer(
      "nonfinite_steps", nonfinite_steps, Range::at_least(0), "steps",
      "how many steps, in the whole run, may pass without an update because their ELBO or gradient "
      "is not finite; 0: the first one ends the run");
}

void EvaluationOptions::describe(OptionSet& options) {
  options.integer("every_epochs", every_epochs, Range::at_least(0), "epochs", "0: only at the end");
  options.integer("every_steps", every_steps, Range::at_least(0), "steps",
                  "in place of every_epochs; 0: use that");
  options.integer("patience", patience, Range::at_least(0), "evaluations",
                  "the run ends after so many without a new best; 0: never");
  options.choice("completion", completion, completion_names,
                 "the observed half of a held-out document; tokens: keyed by data.split_seed; etm: the first "
                 "half of its tokens; even_odd: the words of even number");
  options.text("coherence_data", coherence_data,
               "the documents on which npmi and u_mass count words; empty: the training data");
}

void CheckpointOptions::describe(OptionSet& options) {
  options.real("every_seconds", every_seconds, Range::at_least(0), "seconds", "0: not by time");
  options.integer("every_steps", every_steps, Range::at_least(0), "steps", "0: not by steps");
  options.integer("keep_last", keep_last, Range::at_least(1), "files", "how many remain besides best.h5");
}

void CommunicationOptions::describe(OptionSet& options) {
  options.choice("backend", backend, {"auto", "mpi", "single"},
                 "auto: MPI under mpirun or srun, else none; mpi, single: refuse any other start");
  options.choice("reduction", reduction, {"fast"}, "fast: the library's order of summation");
  options.integer("staleness", staleness, Range::between(0, 1), "steps",
                  "1: a minibatch's sums belong to the parameters of one step ago, so that they travel between ranks "
                  "while the next one's are computed");
  options.flag("shared_memory", shared_memory,
               "lda: ranks that are all on one machine hold one λ between them and share out the work on its rows; "
               "results are the same to the bit; not with staleness");
  options.real("timeout_seconds", timeout_seconds, Range::above(0), "seconds",
               "a rank that waits longer gives up");
}

void DeviceOptions::describe(OptionSet& options) {
  options.choice("type", type, {"auto", "cpu", "cuda"}, "where the model computes");
  options.integer("threads", threads, Range::between(1, 1024), "threads",
                  "per rank; results do not depend on it for lda");
  options.choice("precision", precision, {"float32", "float64", "bfloat16"},
                 "of parameters and of all that is computed; bfloat16: of the factors of matrix products "
                 "alone, beside parameters in float32");
}

namespace {

void require_sensible(const Settings& settings) {
  const ModelEntry& entry = *settings.model_entry;
  const auto& rules = entry.update_rules;
  if (std::find(rules.begin(), rules.end(), settings.optimizer.type) == rules.end()) {
    throw Error(ExitCode::bad_config, "optimizer.type {} does not go with model.type {}: {}; use {}",
                settings.optimizer.type, entry.name, entry.update_rule_reason, fmt::join(rules, " or "));
  }
  if (settings.data.train.empty()) {
    throw Error(ExitCode::bad_config, "data.train is missing: name an HDF5 file made by svi-data");
  }
  if (!settings.data.validation.empty() && settings.data.validation_fraction > 0) {
    throw Error(ExitCode::bad_config, "data.validation is both a file and a fraction; give one of them");
  }
  if (settings.data.labels > 0 && !settings.model->learns_labels()) {
    throw Error(ExitCode::bad_config,
                "data.labels is {}, but {} learns nothing from labels; remove it, or choose model.type: m2",
                settings.data.labels, entry.name);
  }
  if (settings.train.labelled_batch != TrainOptions{}.labelled_batch && !settings.model->learns_labels()) {
    throw Error(ExitCode::bad_config,
                "train.labelled_batch is {}, but {} learns nothing from labels; remove it, or choose "
                "model.type: m2",
                settings.train.labelled_batch, entry.name);
  }
  if (!memory_limit_bytes(settings.data)) {
    throw Error(
        ExitCode::bad_config,
        "data.memory_limit is \"{}\"; expected bytes, or a number with a unit such as 512 MiB or 1.5 GB",
        settings.data.memory_limit);
  }
  if (!entry.needs_counts && !settings.evaluation.coherence_data.empty()) {
    throw Error(ExitCode::bad_config,
                "evaluation.coherence_data is for models of word counts, which {} is not", entry.name);
  }
  if (settings.device.precision == "bfloat16" && !settings.model->takes_bfloat16()) {
    throw Error(ExitCode::bad_config,
                "device.precision is bfloat16, which model.type {} cannot compute in with these options; "
                "expected float32 or float64",
                entry.name);
  }
  const std::string& name = settings.run.name;
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    throw Error(ExitCode::bad_config, "run.name is \"{}\"; expected a folder's name without '/'", name);
  }
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const ModelEntry& entry : models()) names.push_back(entry.name);
  return names;
}

// Chooses which options the other keys are held against, so it is read first.
std::string read_model_type(config::Document& document) {
  std::string type;
  OptionSet options;
  options.choice("type", type, model_names(), "which model");
  document.fill("model", options);
  if (type.empty()) {
    throw Error(ExitCode::bad_config, "model.type is missing; expected one of: {}",
                fmt::join(model_names(), ", "));
  }
  return type;
}

}  // namespace

std::vector<config::Section> Settings::sections() {
  std::vector<config::Section> list;
  const auto add = [&](const char* name, auto& options) {
    list.push_back({name, {}});
    options.describe(list.back().options);
  };
  add("run", run);
  add("data", data);
  config::Section model_section{"model", {}};
  config::Section objective{"objective", {}};
  model_section.options.choice("type", model_type, model_names(), "which model");
  model->describe(model_section.options, objective.options);
  list.push_back(std::move(model_section));
  if (!objective.options.all().empty()) list.push_back(std::move(objective));
  add("optimizer", optimizer);
  add("train", train);
  add("evaluation", evaluation);
  add("checkpoint", checkpoint);
  add("communication", communication);
  add("device", device);
  return list;
}

void use_threads(const Settings& settings) {
  set_parallel_threads(settings.device.threads);
  const bool on_libtorch = settings.model->works_on_libtorch_threads();
  at::set_num_threads(on_libtorch ? static_cast<int>(settings.device.threads) : 1);
}

Settings default_settings(const std::string& model, const std::string& update_rule) {
  Settings settings;
  settings.model_entry = &find_model(model);
  settings.model_type = model;
  settings.model = settings.model_entry->options();
  settings.optimizer.type = update_rule.empty() ? settings.model_entry->update_rules.front() : update_rule;
  return settings;
}

Settings Settings::read(config::Document document) {
  const std::string type = read_model_type(document);
  Settings settings = default_settings(type, document.find("optimizer.type").value_or(""));
  for (const config::Section& section : settings.sections()) document.fill(section.name, section.options);
  document.refuse_unknown();
  require_sensible(settings);
  if (settings.device.precision == "bfloat16") settings.model->use_bfloat16();
  return settings;
}

std::string Settings::run_directory() const {
  return std::filesystem::absolute(std::filesystem::path(run.directory) / run.name)
      .lexically_normal()
      .string();
}

namespace {

bool may_change(const std::string& key, Dependence dependence) {
  static const std::set<std::string> fixed{"run.seed", "communication.reduction", "communication.staleness",
                                           "device.precision"};
  static const std::set<std::string> of_data{"data.train", "data.test", "data.validation",
                                             "data.memory_limit", "model.prior_file"};
  static const std::set<std::string> of_evaluations{"evaluation.every_epochs", "evaluation.every_steps",
                                                    "evaluation.completion"};
  if (fixed.contains(key)) return false;
  if (of_data.contains(key) || key == "train.nonfinite_steps") return true;
  if (key == "train.epochs" || key == "train.steps") return !dependence.on_length;
  if (of_evaluations.contains(key)) return !dependence.on_evaluations;
  const std::string section = key.substr(0, key.find('.'));
  static const std::set<std::string> free{"run", "evaluation", "checkpoint", "communication", "device"};
  return free.contains(section);
}

}  // namespace

std::vector<std::string> changes_that_forbid_resume(const std::map<std::string, std::string>& before,
                                                    const std::map<std::string, std::string>& now,
                                                    Dependence dependence) {
  std::vector<std::string> changes;
  const auto text_in = [](const auto& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? std::string("absent") : found->second;
  };
  std::set<std::string> keys;
  for (const auto& [key, value] : before) keys.insert(key);
  for (const auto& [key, value] : now) keys.insert(key);
  for (const std::string& key : keys) {
    const std::string was = text_in(before, key);
    const std::string is = text_in(now, key);
    if (was == is || may_change(key, dependence)) continue;
    const bool is_length = key == "train.epochs" || key == "train.steps";
    changes.push_back(fmt::format("{}: was {}, is {}{}", key, was, is,
                                  is_length ? " (optimizer.schedule depends on the run's length)" : ""));
  }
  return changes;
}

}  // namespace svi::trainer
