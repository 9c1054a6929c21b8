#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "svi/comm/communicator.hpp"
#include "svi/models/model.hpp"
#include "svi/optim/update_rule.hpp"
#include "svi/trainer/evaluator.hpp"
#include "svi/trainer/minibatches.hpp"
#include "svi/trainer/observer.hpp"
#include "svi/trainer/reduction.hpp"
#include "svi/trainer/stop_signal.hpp"
#include "svi/trainer/training_data.hpp"

namespace svi::trainer {

class SharingRanks;

/// Writes checkpoints on rank 0, and does nothing on the others. **Local.**
class CheckpointWriter {
 public:
  virtual ~CheckpointWriter() = default;
  /// Whether one is due by steps or by this rank's clock, which never touches the training state.
  virtual bool is_due(const TrainingState& state) = 0;
  virtual void save(const TrainingState& state, const Progress& progress, const Metrics& metrics) = 0;
  virtual void save_best(const TrainingState& state, const Progress& progress, const Metrics& metrics) = 0;
};

/// How a run ended.
struct Outcome {
  bool was_stopped = false;  ///< on request, resumable
  Metrics validation;        ///< of the last evaluation
  Metrics test;
};

/// What a trainer works with; all must outlive it.
struct TrainerParts {
  Model& model;
  const UpdateRule& rule;
  TrainingData& data;
  comm::Communicator& communicator;
  CheckpointWriter& checkpoints;
  Observer& observer;
  const StopSignal& stop;
};

/// When a run ends, evaluates and tells.
struct TrainerSchedule {
  std::int64_t total_steps = 0;
  std::int64_t evaluate_every = 0;   ///< steps; 0: only at the end
  std::int64_t log_every = 50;       ///< steps
  std::int64_t patience = 0;         ///< evaluations without a new best that end the run; 0: none do
  std::int64_t staleness = 0;        ///< communication.staleness
  bool shares_memory = false;        ///< whether ranks share work where they can: not with staleness
  std::int64_t nonfinite_steps = 0;  ///< how many steps without an update the run survives
};

/// Stochastic variational inference, the same loop for every model (docs/math.md; Hoffman et al. 2013).
class Trainer {
 public:
  /// Ranks that share memory hold one lazy matrix between them from now on, in the state, too. **Collective.**
  /// @param state where the run stands; must outlive it
  Trainer(const TrainerParts& parts, const TrainerSchedule& schedule, TrainingState& state);
  ~Trainer();

  /// Trains to the last step, or until patience is spent or a stop is requested. **Collective.**
  /// @param last_validation what the latest evaluation gave, of a run that is resumed
  /// @throws AgreedError (internal) when ELBO or gradient were not finite at too many steps
  Outcome run(const Metrics& last_validation = {});

 private:
  /// One step's minibatch, from the sums over this rank's rows to the totals over all.
  struct Sum {
    Contribution contribution;
    Reduction reduction;
    std::int64_t step = -1;         // whose minibatch it is
    std::vector<std::int64_t> ids;  // of this rank's rows
  };

  Sum& sum_of(std::int64_t step);
  void begin(std::int64_t step);
  void share_lazy_matrix();
  void take_pending();
  void keep_pending();
  Progress progress() const;
  void skip(const Sum& sum, const char* fault);
  void remember(const Sums& totals);
  void tell_step();
  void tell_notice(const Sums& totals);
  void validate(Metrics& metrics);
  void test(Metrics& metrics);
  bool evaluation_is_due(std::int64_t step) const;
  bool patience_is_spent() const;
  bool is_over() const;
  void tell_patience() const;

  TrainerParts parts_;
  TrainerSchedule schedule_;
  TrainingState& state_;
  Philox noise_;
  Evaluator evaluator_;
  Minibatches minibatches_;
  std::unique_ptr<SharingRanks> sharing_;  // null: each rank has all of a lazy matrix
  std::deque<Sum> sums_;                   // one, and with staleness another
  Sums nothing_;                           // the totals of a step that was skipped

  // Of the steps since the last training line.
  Sums interval_;
  double interval_seconds_ = 0;
};

}  // namespace svi::trainer
