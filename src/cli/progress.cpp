#include "svi/cli/progress.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <system_error>

#include "svi/base/error.hpp"
#include "svi/base/units.hpp"

namespace svi::cli {

namespace {

constexpr double seconds_between_drawings = 0.2;
constexpr double seconds_between_plain_lines = 10;

struct Figure {
  const char* name;   // in the metrics, in the log, and wherever a program may read the line
  const char* label;  // on a terminal, where room is scarce
};

// The figures worth a line, the most important first.
constexpr std::array<Figure, 10> figures{{{"accuracy", "accuracy"},
                                          {"elbo", "elbo"},
                                          {"objective", "objective"},
                                          {"reconstruction", "reconstruction"},
                                          {"kl", "kl"},
                                          {"log_likelihood_per_word", "log p/word"},
                                          {"perplexity", "perplexity"},
                                          {"npmi", "npmi"},
                                          {"topic_diversity", "diversity"},
                                          {"active_units", "active"}}};

// "elbo -242.13", "kl 14.9", …
std::vector<std::string> figures_of(const Metrics& metrics, const char* Figure::*called) {
  std::vector<std::string> texts;
  for (const Figure& figure : figures) {
    const auto found = metrics.values.find(figure.name);
    if (found != metrics.values.end())
      texts.push_back(fmt::format("{} {:.6g}", figure.*called, found->second));
  }
  return texts;
}

std::string bar(double share, int width) {
  const int filled = static_cast<int>(std::lround(share * width));
  std::string text;
  for (int i = 0; i < width; ++i) text += i < filled ? "━" : "─";
  return text;
}

// With two blanks before it, unless it is empty.
std::string apart(const std::string& text) { return text.empty() ? "" : "  " + text; }

}  // namespace

ConsoleProgress::ConsoleProgress(const std::string& log_path)
    : log_path_(log_path), log_(std::fopen(log_path.c_str(), "a")) {
  if (log_ == nullptr) throw Error(ExitCode::cannot_write, "cannot write {}", log_path);
}

ConsoleProgress::~ConsoleProgress() {
  if (has_moving_line_) screen_.write("\r\x1b[K");
  std::fclose(log_);
}

void ConsoleProgress::show(const std::string& line) {
  screen_.write((has_moving_line_ ? "\r\x1b[K" : "") + printable(line, "\n") + "\n");
  has_moving_line_ = false;
}

void ConsoleProgress::log(const std::string& line) {
  if (std::fputs((printable(line, "\n") + "\n").c_str(), log_) >= 0 && std::fflush(log_) == 0) return;
  throw Error(ExitCode::cannot_write, "cannot write {}: {}; free some space and start again to resume",
              log_path_, std::generic_category().message(errno));
}

void ConsoleProgress::say(const std::string& line) {
  show(line);
  log(line);
}

std::string ConsoleProgress::time_left(const trainer::Progress& progress) const {
  const auto done = static_cast<double>(progress.step - first_step_);
  const double seconds = progress.seconds - first_seconds_;
  if (done < 1 || seconds <= 0) return "";
  const auto left = static_cast<double>(progress.total_steps - progress.step);
  return duration_text(left * seconds / done) + " left";
}

std::string ConsoleProgress::moving_line(const trainer::Progress& progress) const {
  const std::size_t columns = screen_.columns() - 1;  // some terminals begin a new line in the last one
  const auto share = static_cast<double>(progress.step) /
                     static_cast<double>(std::max<std::int64_t>(1, progress.total_steps));
  std::vector<Field> fields{{bar(share, columns < 79 ? 10 : 24), -3},
                            {fmt::format("{:3.0f} %", 100 * share), 0},
                            {fmt::format("epoch {:.2f}", progress.epoch), -4}};
  const std::string left = time_left(progress);
  if (!left.empty()) fields.push_back({left, -1});
  if (!rate_.empty()) fields.push_back({rate_, -5});
  for (std::size_t i = 0; i < figures_.size(); ++i)
    fields.push_back({figures_[i], i == 0 ? -2 : -5 - static_cast<int>(i)});
  return fitted(std::move(fields), columns);
}

void ConsoleProgress::on_step(const trainer::Progress& progress) {
  if (first_seconds_ < 0) {
    first_seconds_ = progress.seconds;
    first_step_ = progress.step;
  }
  const double now = since_start_.seconds();
  if (!screen_.is_terminal() || (drawn_at_ >= 0 && now - drawn_at_ < seconds_between_drawings)) return;
  drawn_at_ = now;
  screen_.write("\r\x1b[K" + moving_line(progress));
  has_moving_line_ = true;
}

void ConsoleProgress::on_training(const trainer::TrainingRecord& record) {
  const trainer::Progress& progress = record.progress;
  rate_ = count_text(std::llround(record.samples_per_second)) + " rows/s";
  figures_ = figures_of(record.metrics, &Figure::label);
  const std::string line = fmt::format(
      "step {}/{}  epoch {:.2f}  {}  {}{}", progress.step, progress.total_steps, progress.epoch,
      fmt::join(figures_of(record.metrics, &Figure::name), "  "), rate_, apart(time_left(progress)));
  log(line);
  const double now = since_start_.seconds();
  const bool is_last = progress.step == progress.total_steps;
  const bool is_early = said_at_ >= 0 && !is_last && now - said_at_ < seconds_between_plain_lines;
  if (screen_.is_terminal() || is_early) return;
  said_at_ = now;
  show(line);
}

void ConsoleProgress::on_evaluation(const trainer::EvaluationRecord& record) {
  const trainer::Progress& progress = record.progress;
  const std::string best = record.is_best ? "(best)" : "";
  const std::string line =
      fmt::format("{:<10} step {}  epoch {:.2f}  {}{}", record.split, progress.step, progress.epoch,
                  fmt::join(figures_of(record.metrics, &Figure::name), "  "), apart(best));
  if (screen_.is_terminal()) {
    std::vector<std::string> fields = figures_of(record.metrics, &Figure::label);
    fields.insert(fields.begin(), fmt::format("{:<10} step {}", record.split, progress.step));
    if (record.is_best) fields.push_back(best);
    show(wrapped(fields, screen_.columns() - 1));
  } else {
    show(line);
  }
  log(line);
}

void ConsoleProgress::on_event(const trainer::Event& event) {
  if (event.name == "checkpoint") return log(event.text);  // too frequent for a screen
  show(screen_.is_terminal() ? wrapped_words(event.text, screen_.columns() - 1) : event.text);
  log(event.text);
}

}  // namespace svi::cli
