#pragma once

#include <cstdio>
#include <string>

#include "svi/base/stopwatch.hpp"
#include "svi/trainer/observer.hpp"

namespace svi::cli {

/// What a person sees of a run: on a terminal one line that is drawn anew, with rate, time left and ELBO;
/// elsewhere plain lines. Everything but the moving line also goes to `train.log`. **Root-only.**
class ConsoleProgress : public trainer::Observer {
 public:
  /// @param log_path appended to @throws Error (cannot_write)
  explicit ConsoleProgress(const std::string& log_path);
  ~ConsoleProgress() override;

  void on_step(const trainer::Progress& progress) override;
  void on_training(const trainer::TrainingRecord& record) override;
  void on_evaluation(const trainer::EvaluationRecord& record) override;
  void on_event(const trainer::Event& event) override;

  /// A line for terminal and log alike.
  void say(const std::string& line);

 private:
  void erase_moving_line();
  std::string time_left(const trainer::Progress& progress) const;

  std::FILE* log_;
  bool is_terminal_;
  bool has_moving_line_ = false;
  std::string figures_;  // of the last training record
  Stopwatch since_start_;
  double first_seconds_ = -1;  // training seconds when the first step was seen
  std::int64_t first_step_ = 0;
  double drawn_at_ = -1;
  double said_at_ = -1;
};

/// "elbo −242.13 · kl 14.9": the figures worth a line, in a fixed order.
std::string figures_text(const Metrics& metrics);

}  // namespace svi::cli
