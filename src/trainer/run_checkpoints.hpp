#pragma once

#include <chrono>
#include <string>

#include "svi/checkpoint/checkpoint_store.hpp"
#include "svi/trainer/settings.hpp"
#include "svi/trainer/trainer.hpp"

namespace svi::trainer {

/// The checkpoints of a run's directory, by steps and by seconds.
class RunCheckpoints : public CheckpointWriter {
 public:
  /// @param facts completed by epoch and metrics at each save
  /// @param rule named when the run has diverged @param observer told of each save
  RunCheckpoints(const std::string& folder, const CheckpointOptions& options,
                 checkpoint::CheckpointFacts facts, const UpdateRule& rule, Observer& observer);

  bool is_due(const TrainingState& state) override;
  void save(const TrainingState& state, const Progress& progress, const Metrics& metrics) override;
  void save_best(const TrainingState& state, const Progress& progress, const Metrics& metrics) override;

 private:
  checkpoint::Checkpoint snapshot(const TrainingState& state, const Progress& progress,
                                  const Metrics& metrics) const;

  checkpoint::CheckpointStore store_;
  CheckpointOptions options_;
  checkpoint::CheckpointFacts facts_;
  const UpdateRule& rule_;
  Observer& observer_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// What ranks other than 0 have.
class NoCheckpoints : public CheckpointWriter {
 public:
  bool is_due(const TrainingState&) override { return false; }
  void save(const TrainingState&, const Progress&, const Metrics&) override {}
  void save_best(const TrainingState&, const Progress&, const Metrics&) override {}
};

}  // namespace svi::trainer
