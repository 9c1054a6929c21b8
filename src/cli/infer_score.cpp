#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "latent_scores.hpp"
#include "svi/base/error.hpp"
#include "svi/cli/arguments.hpp"
#include "svi/cli/infer.hpp"

namespace svi::cli {

namespace {

struct ScoreOptions {
  std::string checkpoint;
  std::string input;
  std::optional<std::string> output;
  std::string by = "elbo";
  std::int64_t samples = 100;
  std::int64_t training_rows = 10000;
  std::vector<std::int64_t> outlier_labels;
  bool is_json = false;
  trainer::TrainedModel trained;
  std::exception_ptr problem;  // met before the ranks were launched
};

void open(ScoreOptions& options, comm::Communicator& communicator) {
  comm::together(communicator, "opening the model", [&] {
    if (options.problem) std::rethrow_exception(options.problem);
    if (communicator.rank() == 0) tell_rejected(options.trained);
    latent_model_of(options.trained, "score");
    trainer::use_threads(options.trained.settings);  // as in training
  });
  require_same_checkpoint(options.trained, communicator);
}

ExitCode score(ScoreOptions& options, comm::Communicator& communicator) {
  open(options, communicator);
  const trainer::TrainedModel& trained = options.trained;
  const LatentRows rows(trained, options.input, "INPUT", communicator);
  Scores scores{.measure = {options.by, options.samples}, .input = rows.facts().path};
  comm::together(communicator, "reading labels", [&] {
    scores.labels = labels_in(*rows.file());
    scores.outlier_labels = outlier_labels_of(scores.labels, options.outlier_labels, options.input);
  });
  scores.values = scores_of(trained, rows, first_rows(rows.facts().rows), scores.measure);
  if (options.training_rows > 0) {
    const LatentRows training(trained, trained.settings.data.train, "data.train", communicator);
    scores.training = scores_of(trained, training, training_sample(trained, training, options.training_rows),
                                scores.measure);
  }
  comm::together(communicator, "saving the scores", [&] {
    if (communicator.rank() != 0) return;
    scores.ids = data::read_document_ids(rows.facts());
    scores.compare();
    if (options.output) {
      require_output(*options.output, {trained.path, options.input});
      write_scores(scores, *options.output);
    }
    print_on_root(report(scores, options.output.value_or(""), options.is_json), communicator);
  });
  return ExitCode::done;
}

void prepare(ScoreOptions& options) try {
  if (options.output) {
    require_output(*options.output, {options.input});
    require_scores_ending(*options.output);
  }
  options.trained = trainer::load_model(options.checkpoint);
  data::open_in_child(options.input);
  if (options.training_rows > 0) {
    require_training_file(options.trained);
    data::open_in_child(options.trained.settings.data.train);
  }
} catch (const std::exception&) {
  options.problem = std::current_exception();  // told on the ranks, once
}

}  // namespace

void declare_score(CLI::App& app, RanksAction& action) {
  CLI::App* command = app.add_subcommand(
      "score", "how strange each row of a file is to a VAE: anomalies score high; alone or under mpirun");
  const auto options = std::make_shared<ScoreOptions>();
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command->add_option("input", options->input, "a file of rows like those of the training data")->required();
  command
      ->add_option("--by", options->by,
                   "elbo: -ELBO; reconstruction: -E[ln p(x|z)]; nll: -ln p(x) by importance samples; nats")
      ->check(CLI::IsMember({"elbo", "reconstruction", "nll"}))
      ->capture_default_str();
  within(command->add_option("--samples", options->samples, "importance samples of each row, for nll"),
         Range::between(1, 1 << 24))
      ->capture_default_str();
  within(command->add_option("--training-rows", options->training_rows,
                             "training rows, spread evenly, that scores are compared with; 0 for none"),
         Range::at_least(0))
      ->capture_default_str();
  command
      ->add_option(
          "--labels-outlier", options->outlier_labels,
          "labels of outliers, for the area under the ROC curve; default: 1 where labels are 0 and 1")
      ->delimiter(',');
  command->add_option("--output", options->output,
                      "a file with every row's score: .tsv, .h5ad, .h5 or .jsonl");
  command->add_flag("--json", options->is_json, "the figures as JSON");
  command->footer(
      "Examples:\n"
      "  svi-infer score runs/vae-fashion-mnist data/fashion-mnist-test.h5 --output scores.tsv\n"
      "  svi-infer score runs/no-sneakers data/fashion-mnist-test.h5 --labels-outlier 7 --by nll");
  command->callback([options, &action] {
    prepare(*options);
    action = [options](comm::Communicator& communicator) { return score(*options, communicator); };
  });
}

}  // namespace svi::cli
