#include "svi/cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "svi/base/error.hpp"
#include "svi/base/units.hpp"

namespace svi::cli {

namespace {

constexpr double seconds_between_drawings = 0.2;
constexpr double seconds_between_plain_lines = 10;

// mpirun gives its ranks a terminal of their own, whatever becomes of its output: there the question is what
// mpirun's own output is. It is the parent of rank 0 on the first node.
bool writes_to_terminal() {
  if (isatty(STDOUT_FILENO) == 0) return false;
  if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr) return true;
  std::error_code problem;
  const auto target = std::filesystem::read_symlink(fmt::format("/proc/{}/fd/1", getppid()), problem);
  return !problem && target.string().starts_with("/dev/pts/");
}

}  // namespace

std::string figures_text(const Metrics& metrics) {
  static constexpr std::array<const char*, 9> order{
      "elbo",       "objective", "reconstruction",  "kl",          "log_likelihood_per_word",
      "perplexity", "npmi",      "topic_diversity", "active_units"};
  std::string text;
  for (const char* name : order) {
    const auto found = metrics.values.find(name);
    if (found == metrics.values.end()) continue;
    text += fmt::format("{}{} {:.6g}", text.empty() ? "" : "  ", name, found->second);
  }
  return text;
}

ConsoleProgress::ConsoleProgress(const std::string& log_path)
    : log_(std::fopen(log_path.c_str(), "a")), is_terminal_(writes_to_terminal()) {
  if (log_ == nullptr) throw Error(ExitCode::cannot_write, "cannot write {}", log_path);
}

ConsoleProgress::~ConsoleProgress() {
  erase_moving_line();
  std::fclose(log_);
}

void ConsoleProgress::erase_moving_line() {
  if (has_moving_line_) fmt::print("\r\x1b[K");
  has_moving_line_ = false;
  std::fflush(stdout);
}

void ConsoleProgress::say(const std::string& line) {
  erase_moving_line();
  fmt::print("{}\n", line);
  std::fflush(stdout);
  fmt::print(log_, "{}\n", line);
  std::fflush(log_);
}

std::string ConsoleProgress::time_left(const trainer::Progress& progress) const {
  const auto done = static_cast<double>(progress.step - first_step_);
  const double seconds = progress.seconds - first_seconds_;
  if (done < 1 || seconds <= 0) return "";
  const auto left = static_cast<double>(progress.total_steps - progress.step);
  return fmt::format("  {:.0f} steps/s  {} left", done / seconds, duration_text(left * seconds / done));
}

void ConsoleProgress::on_step(const trainer::Progress& progress) {
  if (first_seconds_ < 0) {
    first_seconds_ = progress.seconds;
    first_step_ = progress.step;
  }
  const double now = since_start_.seconds();
  if (!is_terminal_ || (drawn_at_ >= 0 && now - drawn_at_ < seconds_between_drawings)) return;
  drawn_at_ = now;
  constexpr int width = 24;
  const auto share = static_cast<double>(progress.step) /
                     static_cast<double>(std::max<std::int64_t>(1, progress.total_steps));
  const int filled = static_cast<int>(std::lround(share * width));
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < filled ? "━" : "─";
  fmt::print("\r\x1b[K{} {:3.0f} %  epoch {:.2f}{}  {}", bar, 100 * share, progress.epoch,
             time_left(progress), figures_);
  std::fflush(stdout);
  has_moving_line_ = true;
}

void ConsoleProgress::on_training(const trainer::TrainingRecord& record) {
  figures_ = figures_text(record.metrics);
  const double now = since_start_.seconds();
  const bool is_last = record.progress.step == record.progress.total_steps;
  const std::string line = fmt::format("step {}/{}  epoch {:.2f}  {}  {}/s{}", record.progress.step,
                                       record.progress.total_steps, record.progress.epoch, figures_,
                                       count_text(static_cast<std::int64_t>(record.samples_per_second)),
                                       time_left(record.progress));
  fmt::print(log_, "{}\n", line);
  std::fflush(log_);
  if (is_terminal_ || (said_at_ >= 0 && !is_last && now - said_at_ < seconds_between_plain_lines)) return;
  said_at_ = now;
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void ConsoleProgress::on_evaluation(const trainer::EvaluationRecord& record) {
  say(fmt::format("{:<10} step {}  epoch {:.2f}  {}{}", record.split, record.progress.step,
                  record.progress.epoch, figures_text(record.metrics), record.is_best ? "  (best)" : ""));
}

void ConsoleProgress::on_event(const trainer::Event& event) {
  if (event.name == "checkpoint") {  // too frequent for a screen
    fmt::print(log_, "{}\n", event.text);
    std::fflush(log_);
    return;
  }
  say(event.text);
}

}  // namespace svi::cli
