#include "svi/cli/train.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "svi/base/units.hpp"
#include "svi/cli/arguments.hpp"
#include "svi/cli/open_data.hpp"
#include "svi/cli/plan.hpp"
#include "svi/cli/program.hpp"
#include "svi/cli/progress.hpp"
#include "svi/cli/ranks.hpp"
#include "svi/cli/sbatch.hpp"
#include "svi/trainer/experiment.hpp"
#include "svi/trainer/metrics_file.hpp"
#include "svi/trainer/nonfinite_files.hpp"

namespace svi::cli {

namespace {

constexpr const char* program = "svi-train";

constexpr const char* examples = R"(Examples:
  svi-train configs/lda-reuters.yaml
  mpirun -np 2 svi-train configs/vae-fashion-mnist.yaml --set train.epochs=3
  mpirun -np 2 svi-train configs/lda-debian.yaml --run-dir runs/second --set run.seed=2
  svi-train configs/lda-debian.yaml --dry-run

Started again with the same run directory it resumes from the newest valid checkpoint.
Ctrl-C, SIGTERM or SIGUSR2 end it at the next step, after a checkpoint; the same again two seconds later, at once.
Exit codes: 0 done, 64 usage, 65 bad data, 66 missing input, 70 diverged or internal, 71 communication failed,
73 cannot write, 75 stopped on request (start again to resume), 78 bad configuration.)";

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  std::optional<std::string> run_directory;
  bool is_fresh = false;
  bool is_dry_run = false;
  bool prints_sbatch = false;
  std::int64_t tasks = 4;
  std::string text;  // of --help or --version: to be printed in place of a run
};

// The command line, or what is to be printed in place of a run.
Arguments read_arguments(int count, char** arguments) {
  Arguments parsed;
  CLI::App app("Trains a model by stochastic variational inference, alone or on many ranks.", program);
  app.footer(examples);
  app.add_option("config", parsed.config, "the configuration, a YAML file")->required();
  app.add_option("--set", parsed.overrides, "key=value: overrides a key of the configuration; repeatable")
      ->allow_extra_args(false);
  app.add_option("--run-dir", parsed.run_directory, "the run directory, in place of run.directory/run.name");
  app.add_flag("--fresh", parsed.is_fresh, "never resume: refuse a run directory that holds a run");
  app.add_flag("--dry-run", parsed.is_dry_run,
               "check configuration, files and what would be resumed; print the plan, train nothing");
  app.add_flag("--print-sbatch", parsed.prints_sbatch,
               "print a SLURM job script for this run, train nothing");
  within(app.add_option("--tasks", parsed.tasks, "ranks of that job"), Range::between(1, 1 << 20))
      ->capture_default_str();
  app.set_version_flag("--version", std::string("svi-train ") + SVI_VERSION);
  parsed.text = parse(app, count, arguments);
  return parsed;
}

trainer::Settings read_settings(const Arguments& arguments) {
  config::Document document = config::Document::load(arguments.config);
  for (const std::string& assignment : arguments.overrides) document.set(assignment);
  trainer::Settings settings = trainer::Settings::read(std::move(document));
  if (arguments.run_directory) {
    if (arguments.run_directory->empty()) throw Error(ExitCode::usage, "--run-dir is empty; name a folder");
    const auto path = std::filesystem::absolute(*arguments.run_directory).lexically_normal();
    const auto directory = path.has_filename() ? path : path.parent_path();
    if (!directory.has_filename()) {
      throw Error(ExitCode::usage, "--run-dir {} is no place for a run; name a folder below it",
                  *arguments.run_directory);
    }
    settings.run.directory = directory.parent_path().string();
    settings.run.name = directory.filename().string();
  }
  return settings;
}

// The job that runs this command line on a cluster, in the folder where it was asked for.
std::string job_script(const Arguments& arguments, const trainer::Settings& settings) {
  SbatchOptions options{.job_name = settings.run.name,
                        .directory = std::filesystem::current_path().string(),
                        .tasks = arguments.tasks,
                        .threads = settings.device.threads,
                        .program = std::filesystem::read_symlink("/proc/self/exe").string(),
                        .arguments = {arguments.config}};
  for (const std::string& assignment : arguments.overrides)
    options.arguments.insert(options.arguments.end(), {"--set", assignment});
  if (arguments.run_directory)
    options.arguments.insert(options.arguments.end(), {"--run-dir", *arguments.run_directory});
  return sbatch_script(options);
}

// What was asked for in place of a run.
void print(comm::Communicator& communicator, const std::string& text) {
  comm::together(communicator, "printing", [&] {
    if (communicator.rank() != 0) return;
    const bool is_written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    if (!is_written) throw Error(ExitCode::cannot_write, "cannot write to the standard output");
  });
}

std::string summary(const trainer::Experiment& experiment, const trainer::Outcome& outcome) {
  const TrainingState& state = experiment.state();
  std::string text =
      fmt::format("{} at step {} after {} of training", outcome.was_stopped ? "stopped" : "done", state.step,
                  duration_text(state.training_seconds));
  if (state.best_step >= 0) {
    text += fmt::format("\n  best         {} {:.6g} at step {}", experiment.model().selection_metric(),
                        state.best_value, state.best_step);
  }
  text += fmt::format("\n  metrics      {0}/metrics.jsonl\n  checkpoints  {0}/checkpoints",
                      experiment.run_directory());
  if (outcome.was_stopped) text += "\n  start the same command again to resume";
  return text;
}

// What rank 0 shows and writes down while a run goes on.
class RootObservers {
 public:
  explicit RootObservers(trainer::Experiment& experiment)
      : progress_(experiment.run_directory() + "/train.log"),
        metrics_(experiment.run_directory() + "/metrics.jsonl", experiment.progress()),
        nonfinite_(experiment.run_directory()) {
    all_.add(progress_);
    all_.add(metrics_);
    all_.add(nonfinite_);
  }
  trainer::Observers& all() { return all_; }
  ConsoleProgress& progress() { return progress_; }

 private:
  ConsoleProgress progress_;
  trainer::MetricsFile metrics_;
  trainer::NonfiniteFiles nonfinite_;
  trainer::Observers all_;
};

ExitCode train(trainer::Settings settings, const Arguments& arguments, comm::Communicator& communicator,
               const trainer::StopSignal& stop) {
  trainer::Experiment experiment(
      std::move(settings), communicator,
      {.is_fresh = arguments.is_fresh, .with_rows = !arguments.is_dry_run, .version = SVI_VERSION});
  const auto lines = plan(experiment, communicator);
  if (arguments.is_dry_run) {
    print(communicator, fmt::format("{} {}, plan\n{}", program, SVI_VERSION, plan_text(lines)));
    return ExitCode::done;
  }
  std::unique_ptr<RootObservers> root;
  comm::together(communicator, "opening the log", [&] {
    if (communicator.rank() == 0) root = std::make_unique<RootObservers>(experiment);
  });
  trainer::Observer silent;
  trainer::Observer& observer = root ? static_cast<trainer::Observer&>(root->all()) : silent;
  if (root) root->progress().say(fmt::format("{} {}\n{}", program, SVI_VERSION, plan_text(lines)));
  for (const trainer::Event& event : experiment.start_events()) observer.on_event(event);

  const trainer::Outcome outcome = experiment.run(observer, stop);
  if (outcome.was_stopped) observer.on_event({experiment.progress(), "stopped", "stopping as asked"});
  if (root) root->progress().say(summary(experiment, outcome));
  return outcome.was_stopped ? ExitCode::stopped : ExitCode::done;
}

}  // namespace

int train_main(int count, char** arguments) {
  const c10::InferenceMode no_autograd;  // models write their own backward passes
  const trainer::StopSignal stop;        // from now on, so that none is lost while data are read
  // Command line and settings before the launch, since the settings hold its timeout; errors after it, so
  // that all ranks leave together and one of them tells.
  std::exception_ptr problem;
  Arguments parsed;
  std::optional<trainer::Settings> settings;
  try {
    parsed = read_arguments(count, arguments);
    if (parsed.text.empty()) settings = read_settings(parsed);
    if (settings && parsed.prints_sbatch) parsed.text = job_script(parsed, *settings);
    if (settings && parsed.text.empty()) try_data(*settings);
  } catch (const std::exception&) {
    problem = std::current_exception();
  }
  const double timeout =
      settings ? settings->communication.timeout_seconds : trainer::CommunicationOptions{}.timeout_seconds;
  return run_on_ranks(program, timeout, [&](comm::Communicator& communicator) {
    comm::together(communicator, "reading the configuration", [&] {
      if (problem) std::rethrow_exception(problem);
    });
    if (!parsed.text.empty()) {
      print(communicator, parsed.text);
      return ExitCode::done;
    }
    return train(std::move(*settings), parsed, communicator, stop);
  });
}

}  // namespace svi::cli
