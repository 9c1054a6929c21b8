#include <ATen/ATen.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "row_embeddings.hpp"
#include "svi/base/error.hpp"
#include "svi/models/label_model.hpp"

namespace svi::cli {

namespace {

constexpr std::int64_t rows_at_once = 500;

// The likeliest class of each row beside q(y|x): [b, 1 + C].
RowFigures class_figures(const trainer::TrainedModel& trained, LabelModel& model) {
  return {"classes of rows", 1 + model.classes(), rows_at_once, [&trained, &model](const Minibatch& rows) {
            const Philox noise(trained.checkpoint.state.seed);
            const Tensor q = model.class_probabilities(trained.parameters(), rows, noise);
            return at::cat({q.argmax(1, true).to(q.scalar_type()), q}, 1);
          }};
}

RowEmbeddings classes_of(const trainer::TrainedModel& trained) {
  LabelModel& model = label_model_of(trained, "predict");
  return {.figures = class_figures(trained, model),
          .embeddings = {{"X_class", {"class"}}, {"X_classes", data::numbered("q", model.classes())}},
          .columns = fmt::format("{} classes", model.classes()),
          .counts = {{"classes", model.classes()}}};
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
  declare_row_embeddings(*command, action, classes_of);
  command->footer(
      "The likeliest class is in obsm/X_class, all probabilities in obsm/X_classes; in a table class, q_0, "
      "…\n\n"
      "Example:\n"
      "  svi-infer predict runs/m2-mnist data/mnist-test.h5 --output classes.tsv");
}

}  // namespace svi::cli
