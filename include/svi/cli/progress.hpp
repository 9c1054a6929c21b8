#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "svi/base/stopwatch.hpp"
#include "svi/cli/standard_streams.hpp"
#include "svi/cli/text.hpp"
#include "svi/trainer/observer.hpp"

namespace svi::cli {

/// What a person sees of a run: on a terminal one line that is drawn anew, with rate, time left and ELBO, as
/// wide as the terminal; elsewhere plain lines. Everything but the moving line also goes to `train.log`,
/// which goes on when the terminal does not. **Root-only.**
class ConsoleProgress : public trainer::Observer {
 public:
  /// @param log_path appended to @throws Error (cannot_write), as all that writes into it
  explicit ConsoleProgress(const std::string& log_path);
  ~ConsoleProgress() override;

  void on_step(const trainer::Progress& progress) override;
  void on_training(const trainer::TrainingRecord& record) override;
  void on_evaluation(const trainer::EvaluationRecord& record) override;
  void on_event(const trainer::Event& event) override;

  /// A line for terminal and log alike.
  void say(const std::string& line);

 private:
  void show(const std::string& line);
  void log(const std::string& line);
  std::string time_left(const trainer::Progress& progress) const;
  std::string moving_line(const trainer::Progress& progress) const;

  std::string log_path_;
  std::FILE* log_;
  Screen screen_;
  bool has_moving_line_ = false;
  std::string rate_;                  // of the last training record
  std::vector<std::string> figures_;  // of it, in short
  Stopwatch since_start_;
  double first_seconds_ = -1;  // training seconds when the first step was seen
  std::int64_t first_step_ = 0;
  double drawn_at_ = -1;
  double said_at_ = -1;
};

}  // namespace svi::cli
