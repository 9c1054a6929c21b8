#include <ATen/ATen.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "latent_rows.hpp"
#include "svi/base/error.hpp"
#include "svi/base/units.hpp"
#include "svi/cli/arguments.hpp"
#include "svi/cli/infer.hpp"
#include "svi/data/embedding_file.hpp"
#include "svi/models/label_model.hpp"

namespace svi::cli {

namespace {

constexpr std::int64_t rows_at_once = 500;

struct PredictOptions {
  std::string checkpoint;
  std::string input;
  std::string output;
  bool is_json = false;
  std::exception_ptr problem;  // met before the ranks were launched
};

// The likeliest class of each row beside q(y|x): [b, 1 + C].
RowFigures class_figures(const trainer::TrainedModel& trained, LabelModel& model) {
  return {"classes of rows", 1 + model.classes(), rows_at_once, [&trained, &model](const Minibatch& rows) {
            const Philox noise(trained.checkpoint.state.seed);
            const Tensor q = model.class_probabilities(trained.parameters(), rows, noise);
            return at::cat({q.argmax(1, true).to(q.scalar_type()), q}, 1);
          }};
}

std::string report(const PredictOptions& options, const trainer::TrainedModel& trained,
                   const data::DataFacts& facts, std::int64_t classes) {
  if (options.is_json) {
    return nlohmann::ordered_json{{"checkpoint", trained.path},
                                  {"input", facts.path},
                                  {"output", options.output},
                                  {"rows", facts.rows},
                                  {"classes", classes}}
               .dump() +
           "\n";
  }
  return fmt::format("{} rows × {} classes in {}\n", count_text(facts.rows), classes, options.output);
}

ExitCode predict(const PredictOptions& options, comm::Communicator& communicator) {
  trainer::TrainedModel trained;
  LabelModel* model = nullptr;
  const bool is_root = communicator.rank() == 0;
  comm::together(communicator, "opening the model", [&] {
    if (options.problem) std::rethrow_exception(options.problem);
    trained = is_root ? load_and_tell(options.checkpoint) : trainer::load_model(options.checkpoint);
    model = &label_model_of(trained, "predict");
    trainer::use_threads(trained.settings);  // as in training
  });
  require_same_checkpoint(trained, communicator);
  const LatentRows rows(trained, options.input, "INPUT", communicator);
  std::unique_ptr<data::EmbeddingFile> file;
  comm::together(communicator, "creating the output", [&] {
    if (!is_root) return;
    require_output(options.output, {trained.path, options.input});
    file = data::create_embedding_file(
        options.output, data::read_document_ids(rows.facts()),
        {{"X_class", {"class"}}, {"X_classes", data::numbered("q", model->classes())}});
  });
  rows.pass(first_rows(rows.facts().rows), class_figures(trained, *model),
            [&](std::span<const double> some) { file->add(std::vector<float>(some.begin(), some.end())); });
  comm::together(communicator, "saving the output", [&] {
    if (!is_root) return;
    file->commit();
    print_on_root(report(options, trained, rows.facts(), model->classes()), communicator);
  });
  return ExitCode::done;
}

}  // namespace

LabelModel& label_model_of(const trainer::TrainedModel& trained, const char* command) {
  auto* model = dynamic_cast<LabelModel*>(trained.model.get());
  if (model != nullptr) return *model;
  throw Error(ExitCode::usage,
              "{} holds a model of type {}, which has no classes; {} is for models of labels, as m2",
              trained.path, trained.checkpoint.facts.model, command);
}

void declare_predict(CLI::App& app, RanksAction& action) {
  CLI::App* command =
      app.add_subcommand("predict", "q(y|x), the classes' probabilities for each row of a file");
  const auto options = std::make_shared<PredictOptions>();
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command->add_option("input", options->input, "a file of rows like those of the training data")->required();
  command->add_option("--output", options->output, "the file to write: .h5ad or .h5 (AnnData), or .tsv")
      ->required();
  command->add_flag("--json", options->is_json, "say what was done as JSON");
  command->footer(
      "The likeliest class is in obsm/X_class, all probabilities in obsm/X_classes; in a table class, q_0, "
      "…\n\n"
      "Example:\n"
      "  svi-infer predict runs/m2-mnist data/mnist-test.h5 --output classes.tsv");
  command->callback([options, &action] {
    try {
      require_output(options->output, {options->input});
      data::require_embedding_ending(options->output, 2);
      data::open_in_child(options->input);
    } catch (const std::exception&) {
      options->problem = std::current_exception();  // told on the ranks, once
    }
    action = [options](comm::Communicator& communicator) { return predict(*options, communicator); };
  });
}

}  // namespace svi::cli
