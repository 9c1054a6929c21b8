#pragma once

#include <memory>
#include <string>

#include "svi/checkpoint/checkpoint_store.hpp"
#include "svi/comm/communicator.hpp"
#include "svi/io/directory_lock.hpp"
#include "svi/trainer/run_priors.hpp"
#include "svi/trainer/settings.hpp"
#include "svi/trainer/trainer.hpp"

namespace svi::trainer {

/// A run put together from its settings: data, model, update rule, training state, run directory.
class Experiment {
 public:
  struct Start {
    bool is_fresh = false;  ///< --fresh: refuse a run directory that holds a run
    bool with_rows = true;  ///< false: the plan only; nothing is written
    std::string version;
  };

  /// Opens everything, and resumes where the run directory holds a valid checkpoint of this run.
  /// @throws AgreedError on every rank with what is wrong. **Collective.**
  Experiment(Settings settings, comm::Communicator& communicator, Start start);

  /// Trains to the end or to a requested stop. **Collective.**
  Outcome run(Observer& observer, const StopSignal& stop);

  Settings& settings() { return settings_; }
  const TrainingData& data() const { return *data_; }
  const Model& model() const { return *model_; }
  const UpdateRule& rule() const { return *rule_; }
  const TrainingState& state() const { return state_; }
  const std::string& run_directory() const { return run_directory_; }
  std::int64_t total_steps() const { return total_steps_; }
  /// Where the run stands.
  Progress progress() const;
  /// What was found at the start, for the log: "resumed from …", "rejected …".
  const std::vector<Event>& start_events() const { return start_events_; }

 private:
  void require_same_start();
  void warn_of_memory();
  at::ScalarType element_type() const;
  void build();
  void require_fit(const data::LocalRows& rows, const char* key, const std::string& path) const;
  void prepare_directory();
  void resume();
  void prepare_optimizer();
  void begin_anew();
  void start_from(const std::string& path);
  void require_same_run(const checkpoint::Checkpoint& found);
  void forget_best_of_another_measure(const std::string& config_yaml);
  void require_patience_has_sense() const;
  void require_tuning_has_sense() const;

  Settings settings_;
  comm::Communicator& communicator_;
  Start start_;
  std::string run_directory_;
  std::string config_yaml_;
  std::unique_ptr<io::DirectoryLock> lock_;  // of rank 0
  std::unique_ptr<TrainingData> data_;
  RunPriors priors_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<UpdateRule> rule_;
  TrainingState state_;
  Metrics last_validation_;  // of the checkpoint resumed from
  std::int64_t total_steps_ = 0;
  std::int64_t evaluate_every_ = 0;  // steps; 0: only at the end
  std::vector<Event> start_events_;
};

}  // namespace svi::trainer
