#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#include "svi/trainer/observer.hpp"

namespace svi::trainer {

/// `metrics.jsonl`: one object a line, flushed as it is written; a number that is not finite is null.
class MetricsFile : public Observer {
 public:
  /// Continues the file after `step`: lines of later steps, and a half-written last line, are cut off.
  /// @throws Error (cannot_write) **Root-only.**
  MetricsFile(const std::string& path, std::int64_t step);

  void on_training(const TrainingRecord& record) override;
  void on_evaluation(const EvaluationRecord& record) override;
  void on_event(const Event& event) override;

 private:
  void write(const std::string& line);

  std::string path_;
  std::ofstream file_;
};

}  // namespace svi::trainer
