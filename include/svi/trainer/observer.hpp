#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "svi/core/training_state.hpp"
#include "svi/models/model.hpp"

namespace svi::trainer {

/// Where a run stands.
struct Progress {
  std::int64_t step = 0;  ///< completed updates
  std::int64_t total_steps = 0;
  double epoch = 0;
  double seconds = 0;  ///< of training, across resumes
};

inline Progress progress_of(const TrainingState& state, std::int64_t total_steps,
                            std::int64_t steps_per_epoch) {
  return {state.step, total_steps, static_cast<double>(state.step) / static_cast<double>(steps_per_epoch),
          state.training_seconds};
}

struct TrainingRecord {
  Progress progress;
  Metrics metrics;
  double samples_per_second = 0;      ///< of all ranks together, since the last record
  double communication_fraction = 0;  ///< of this rank's training time since the last record
  std::string rate_name;              ///< "learning_rate" or "rho"
  double rate = 0;
};

struct EvaluationRecord {
  Progress progress;
  std::string split;  ///< "validation" or "test"
  Metrics metrics;
  std::string selection_metric;
  bool is_best = false;
};

struct Event {
  Progress progress;
  std::string name;  ///< "resumed", "checkpoint", "stopped", …
  std::string text;  ///< for a person
};

/// A step whose totals were not finite, and which was no update.
struct NonfiniteRecord {
  Progress progress;              ///< its step is the one that was to be completed
  std::string fault;              ///< "the ELBO is", "the gradient is"
  Sums terms;                     ///< the totals over all ranks
  std::vector<std::int64_t> ids;  ///< the rows of the global minibatch, some of them if there are very many
};

/// Sees a run and never changes it; only rank 0 has any. **Local.**
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const Progress&) {}
  virtual void on_training(const TrainingRecord&) {}
  virtual void on_evaluation(const EvaluationRecord&) {}
  virtual void on_event(const Event&) {}
  virtual void on_nonfinite(const NonfiniteRecord&) {}
};

/// Tells several.
class Observers : public Observer {
 public:
  void add(Observer& observer) { list_.push_back(&observer); }
  void on_step(const Progress& progress) override {
    for (Observer* observer : list_) observer->on_step(progress);
  }
  void on_training(const TrainingRecord& record) override {
    for (Observer* observer : list_) observer->on_training(record);
  }
  void on_evaluation(const EvaluationRecord& record) override {
    for (Observer* observer : list_) observer->on_evaluation(record);
  }
  void on_event(const Event& event) override {
    for (Observer* observer : list_) observer->on_event(event);
  }
  void on_nonfinite(const NonfiniteRecord& record) override {
    for (Observer* observer : list_) observer->on_nonfinite(record);
  }

 private:
  std::vector<Observer*> list_;
};

}  // namespace svi::trainer
