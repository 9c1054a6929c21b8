#pragma once

#include <fstream>
#include <string>

#include "svi/trainer/observer.hpp"

namespace svi::trainer {

/// `metrics.jsonl`: one object a line, flushed as it is written; a number that is not finite is null.
class MetricsFile : public Observer {
 public:
  /// Continues the file of a run that stands at `start`: lines of later steps and a half-written last line are
  /// cut off, and the evaluation on the test rows that a finished run is about to do again.
  /// @throws Error (cannot_write) **Root-only.**
  MetricsFile(const std::string& path, const Progress& start);

  void on_training(const TrainingRecord& record) override;
  void on_evaluation(const EvaluationRecord& record) override;
  void on_event(const Event& event) override;

 private:
  void write(const std::string& line);

  std::string path_;
  std::ofstream file_;
};

}  // namespace svi::trainer
