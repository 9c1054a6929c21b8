#include "svi/trainer/experiment.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>

#include "feature_means.hpp"
#include "pending.hpp"
#include "run_checkpoints.hpp"
#include "share_state.hpp"
#include "svi/base/error.hpp"
#include "svi/base/sha256.hpp"
#include "svi/base/units.hpp"
#include "svi/io/atomic_file.hpp"
#include "svi/models/latent_model.hpp"
#include "warm_start.hpp"

namespace svi::trainer {

namespace {

std::string checkpoint_folder(const std::string& run_directory) { return run_directory + "/checkpoints"; }

// Steps given as such, or else by epochs.
std::int64_t steps_of(std::int64_t steps, std::int64_t epochs, std::int64_t steps_per_epoch,
                      const char* key) {
  if (steps > 0) return steps;
  if (__builtin_mul_overflow(epochs, steps_per_epoch, &steps)) {
    throw Error(ExitCode::bad_config, "{} is {}, which at {} steps an epoch is more than can be counted", key,
                epochs, steps_per_epoch);
  }
  return steps;
}

// Whether a folder holds a run: started, though perhaps killed before its first checkpoint.
bool holds_run(const std::string& run_directory) {
  std::error_code problem;
  if (std::filesystem::exists(run_directory + "/metrics.jsonl", problem)) return true;
  for (const auto& entry : std::filesystem::directory_iterator(checkpoint_folder(run_directory), problem)) {
    if (entry.path().extension() == ".h5") return true;
  }
  return false;
}

double host_bytes() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

// Parameters, direction and the update rule's tensors lie whole on every rank; a lazy matrix has a direction
// of a few rows only.
void require_memory(const std::vector<ParameterShape>& shapes, at::ScalarType type, std::size_t states) {
  double elements = 0;
  double needed = 0;
  for (const ParameterShape& shape : shapes) {
    elements += static_cast<double>(shape.elements());
    needed += static_cast<double>(shape.elements()) * static_cast<double>(at::elementSize(type)) *
              static_cast<double>(shape.is_lazy ? 1 : 2 + states);
  }
  const double present = host_bytes();
  if (needed <= present) return;
  throw Error(
      ExitCode::bad_config,
      "the model has {} parameters, which with gradient and optimizer state take {} per rank, but this host "
      "has {} of memory; make the model smaller",
      count_text(static_cast<std::int64_t>(elements)), bytes_text(needed), bytes_text(present));
}

}  // namespace

Experiment::Experiment(Settings settings, comm::Communicator& communicator, Start start)
    : settings_(std::move(settings)), communicator_(communicator), start_(std::move(start)) {
  config_yaml_ = config::to_yaml(settings_.sections());
  run_directory_ = settings_.run_directory();
  require_same_start();
  data_ = std::make_unique<TrainingData>(settings_, settings_.model->takes_counts(), communicator_,
                                         start_.with_rows ? RowUse::training : RowUse::none);
  comm::together(communicator_, "building the model", [this] { build(); });
  comm::require_same(communicator_, "the priors of words (model.prior_file)", priors_.digest());
  comm::together(communicator_, "preparing the run directory", [this] {
    if (communicator_.rank() == 0 && start_.with_rows) prepare_directory();
  });
  comm::together(communicator_, "resuming", [this] {
    if (communicator_.rank() == 0) resume();
  });
  if (start_.with_rows) share_state(*model_, communicator_, state_);
  if (!priors_.warning.empty()) start_events_.push_back({progress(), "unknown_words", priors_.warning});
  warn_of_memory();
  for (const std::string& text : model_->warnings()) start_events_.push_back({progress(), "warning", text});
  if (!rule_->warning().empty()) start_events_.push_back({progress(), "warning", rule_->warning()});
}

// No refusal, since the work is estimated by a rule of thumb.
void Experiment::warn_of_memory() {
  const std::int64_t local_batch = data_->local_batch(settings_.train, communicator_.size());
  const auto working = static_cast<double>(model_->workspace_bytes(local_batch));
  if (working <= host_bytes()) return;
  start_events_.push_back(
      {progress(), "warning",
       fmt::format("a minibatch's work takes about {} per rank, but this host has {} of memory; lower train.batch, or "
                   "make the model smaller",
                   bytes_text(working), bytes_text(host_bytes()))});
}

Progress Experiment::progress() const { return progress_of(state_, total_steps_, data_->steps_per_epoch()); }

// Programs, settings and versions that differ between ranks would train a model that nobody asked for.
void Experiment::require_same_start() {
  comm::require_same(communicator_, "the program", sha256_of_file("/proc/self/exe"));
  comm::require_same(communicator_, "the configuration", config_yaml_);
}

void Experiment::build() {
  if (settings_.device.type == "cuda") {
    throw Error(ExitCode::bad_config,
                "device.type is cuda, but this program was built without CUDA; use auto or cpu");
  }
  if (settings_.communication.backend == "mpi" && communicator_.name() != "MPI") {
    throw Error(
        ExitCode::bad_config,
        "communication.backend is mpi, but this program was started alone; start it by mpirun or srun");
  }
  if (settings_.communication.backend == "single" && communicator_.size() > 1) {
    throw Error(ExitCode::bad_config,
                "communication.backend is single, but there are {} ranks; start one, or use auto",
                communicator_.size());
  }
  use_threads(settings_);
  const std::int64_t per_epoch = data_->steps_per_epoch();
  total_steps_ = steps_of(settings_.train.steps, settings_.train.epochs, per_epoch, "train.epochs");
  evaluate_every_ = steps_of(settings_.evaluation.every_steps, settings_.evaluation.every_epochs, per_epoch,
                             "evaluation.every_epochs");
  require_patience_has_sense();
  priors_ = read_priors(*settings_.model, data_->facts());
  DataShape shape = data_->shape();
  shape.steps_per_epoch = per_epoch;
  shape.total_steps = total_steps_;
  shape.word_priors = priors_.list;
  model_ = settings_.model->build(shape);
  require_tuning_has_sense();
  const std::string& validation = settings_.data.validation;
  require_fit(data_->training(), "data.train", settings_.data.train);
  require_fit(data_->validation(), "data.validation", validation.empty() ? settings_.data.train : validation);
  require_fit(data_->test(), "data.test", settings_.data.test);
  rule_ = make_update_rule(settings_.optimizer, {total_steps_, per_epoch});
  state_.seed = static_cast<std::uint64_t>(settings_.run.seed);
  require_memory(model_->parameter_shapes(), element_type(),
                 rule_->state_names().size() + static_cast<std::size_t>(2 * settings_.communication.staleness));
  state_.parameters = ParameterSet(model_->parameter_shapes(), element_type());
  if (start_.with_rows) model_->initialize(state_.parameters, Philox(state_.seed));
  prepare_optimizer();
}

// As it is before the first step: an average begins with the parameters.
void Experiment::prepare_optimizer() {
  state_.optimizer.clear();
  prepare_state(*rule_, state_);
  if (settings_.communication.staleness > 0) prepare_pending(*model_, state_);
}

// Whoever is to choose by the validation rows needs some, and evaluations on the way.
void Experiment::require_tuning_has_sense() const {
  const std::string setting = model_->tuned_setting();
  if (setting.empty()) return;
  if (data_->validation_rows() == 0) {
    throw Error(ExitCode::bad_config,
                "{}, but there are no validation data to choose by; set data.validation", setting);
  }
  if (evaluate_every_ == 0) {
    throw Error(ExitCode::bad_config,
                "{}, which chooses at evaluations, but these come only at the end; set "
                "evaluation.every_epochs or evaluation.every_steps",
                setting);
  }
}

void Experiment::require_patience_has_sense() const {
  if (settings_.evaluation.patience == 0) return;
  if (data_->validation_rows() == 0) {
    throw Error(
        ExitCode::bad_config,
        "evaluation.patience is {}, but there are no validation data to judge by; set data.validation",
        settings_.evaluation.patience);
  }
  if (evaluate_every_ == 0) {
    throw Error(
        ExitCode::bad_config,
        "evaluation.patience is {}, but evaluations come only at the end; set evaluation.every_epochs or "
        "evaluation.every_steps",
        settings_.evaluation.patience);
  }
}

at::ScalarType Experiment::element_type() const {
  return settings_.device.precision == "float64" ? at::kDouble : at::kFloat;
}

void Experiment::require_fit(const data::LocalRows& rows, const char* key, const std::string& path) const {
  if (data_->counts_words()) return;  // counts were checked one by one as they were read
  trainer::require_fit(*model_, rows, fmt::format("{}: {}", key, path));
}

void Experiment::prepare_directory() {
  const std::string folder = checkpoint_folder(run_directory_);
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem)
    throw Error(ExitCode::cannot_write, "cannot make the run directory {}: {}", folder, problem.message());
  lock_ = std::make_unique<io::DirectoryLock>(run_directory_);
  if (start_.is_fresh && holds_run(run_directory_)) {
    throw Error(ExitCode::cannot_write,
                "{} already holds a run and --fresh never overwrites one; "
                "choose another folder with --run-dir or run.name, or remove it",
                run_directory_);
  }
}

void Experiment::resume() {
  std::error_code problem;
  if (!std::filesystem::is_directory(checkpoint_folder(run_directory_), problem)) return;
  const checkpoint::CheckpointStore store(checkpoint_folder(run_directory_), settings_.checkpoint.keep_last);
  auto found = store.newest([this](const std::string& path, const std::string& reason) {
    start_events_.push_back({progress(), "rejected", fmt::format("rejected {}: {}", path, reason)});
  });
  if (found) {
    require_same_run(*found);
    state_ = std::move(found->state);
    last_validation_.values = std::move(found->facts.metrics);
    forget_best_of_another_measure(found->facts.config_yaml);
    start_events_.push_back(
        {progress(), "resumed", fmt::format("resumed at step {} of {}", state_.step, total_steps_)});
  } else {
    begin_anew();
  }
  // Only now: a refused start must leave the earlier run's files as they were.
  if (start_.with_rows) io::write_text(run_directory_ + "/config.yaml", config_yaml_);
}

// With the model's first parameters as they are, at the means of the data, or with another run's parameters.
void Experiment::begin_anew() {
  const auto* latent = dynamic_cast<const LatentModel*>(model_.get());
  if (!settings_.run.warm_start.empty()) {
    start_from(settings_.run.warm_start);
  } else if (start_.with_rows && latent != nullptr && latent->starts_at_data()) {
    latent->start_at(feature_means(settings_.data), state_.parameters);
  }
  prepare_optimizer();
}

// A new run begins with another's parameters, and is told apart from a resumed one in all else.
void Experiment::start_from(const std::string& path) try {
  TrainedModel source = load_model(path);
  for (const std::string& reason : source.rejected)
    start_events_.push_back({progress(), "rejected", "rejected " + reason});
  require_fit_to_start_from(source, settings_, *model_, *rule_);
  const std::string done = take_parameters(source, data_->facts(), state_.parameters);
  start_events_.push_back({progress(), "warm_started", done});
} catch (const Error& error) {
  throw Error(error.code(), "run.warm_start: {}", error.what());
}

// Figures of documents that were cut otherwise can't be compared.
void Experiment::forget_best_of_another_measure(const std::string& config_yaml) {
  const Settings before =
      Settings::read(config::Document::parse(config_yaml, "the checkpoint's configuration"));
  if (before.evaluation.completion == settings_.evaluation.completion || state_.best_step < 0) return;
  start_events_.push_back(
      {progress(), "best_forgotten",
       fmt::format("evaluation.completion was {}, is {}: the best so far, of step {}, counts no longer",
                   before.evaluation.completion, settings_.evaluation.completion, state_.best_step)});
  state_.best_value = -std::numeric_limits<double>::infinity();
  state_.best_step = -1;
}

void Experiment::require_same_run(const checkpoint::Checkpoint& found) {
  const checkpoint::CheckpointFacts& facts = found.facts;
  const std::string hint = "choose another --run-dir or run.name for a new run";
  if (facts.model != settings_.model_entry->name) {
    throw Error(ExitCode::bad_config, "{} holds checkpoints of model.type {}, not {}; {}", run_directory_,
                facts.model, settings_.model_entry->name, hint);
  }
  Settings before =
      Settings::read(config::Document::parse(facts.config_yaml, "the checkpoint's configuration"));
  const auto changes = changes_that_forbid_resume(
      config::values(before.sections()), config::values(settings_.sections()),
      {.on_length = rule_->depends_on_total_steps(), .on_evaluations = !model_->tuned_setting().empty()});
  if (!changes.empty()) {
    throw Error(ExitCode::bad_config, "{} holds a run with other settings; changed: {}; set them back, or {}",
                run_directory_, fmt::join(changes, "; "), hint);
  }
  require_same_words(facts.vocabulary, data_->facts().vocabulary, run_directory_, data_->facts().path);
  if (start_.with_rows && facts.data_sha256 != data_->digest()) {
    throw Error(
        ExitCode::bad_config,
        "{0} holds a run on other training or validation data than {1}; {2}, which run.warm_start: {0} "
        "lets begin where this one is",
        run_directory_, data_->facts().path, hint);
  }
  if (facts.word_priors != priors_.list) {
    throw Error(ExitCode::bad_config,
                "{} holds a run with other priors of words than model.prior_file {} gives; {}",
                run_directory_, settings_.model->prior_file().value_or(PriorFile{"(none)"}).path, hint);
  }
  if (found.state.parameters.shapes() != state_.parameters.shapes()) {
    throw Error(ExitCode::bad_data,
                "the newest checkpoint in {} holds parameters of other names or shapes than its own "
                "configuration makes; {}",
                run_directory_, hint);
  }
  for (const std::string& name : rule_->state_names()) {
    const auto kept = found.state.optimizer.find(name);
    if (kept == found.state.optimizer.end() || kept->second.shapes() != state_.parameters.shapes()) {
      throw Error(ExitCode::bad_data, "the newest checkpoint in {} lacks the optimizer's {}; {}",
                  run_directory_, name, hint);
    }
  }
}

Outcome Experiment::run(Observer& observer, const StopSignal& stop) {
  checkpoint::CheckpointFacts facts{.model = settings_.model_entry->name,
                                    .tool_version = start_.version,
                                    .config_yaml = config_yaml_,
                                    .data_sha256 = data_->digest(),
                                    .training_rows = data_->rows(),
                                    .ranks_at_save = communicator_.size(),
                                    .feature_shape = data_->facts().feature_shape,
                                    .vocabulary = data_->facts().vocabulary,
                                    .word_priors = priors_.list};
  std::unique_ptr<CheckpointWriter> checkpoints = std::make_unique<NoCheckpoints>();
  if (communicator_.rank() == 0) {
    checkpoints = std::make_unique<RunCheckpoints>(checkpoint_folder(run_directory_), settings_.checkpoint,
                                                   std::move(facts), *rule_, observer);
  }
  const TrainerSchedule schedule{.total_steps = total_steps_,
                                 .evaluate_every = evaluate_every_,
                                 .log_every = settings_.run.log_every_steps,
                                 .patience = settings_.evaluation.patience,
                                 .staleness = settings_.communication.staleness,
                                 .shares_memory = settings_.communication.shares_memory(),
                                 .nonfinite_steps = settings_.train.nonfinite_steps};
  Trainer trainer({*model_, *rule_, *data_, communicator_, *checkpoints, observer, stop}, schedule, state_);
  return trainer.run(last_validation_);
}

}  // namespace svi::trainer
