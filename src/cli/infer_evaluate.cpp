#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "latent_evaluation.hpp"
#include "svi/base/error.hpp"
#include "svi/cli/arguments.hpp"
#include "svi/cli/infer.hpp"
#include "svi/cli/open_data.hpp"
#include "svi/cli/table.hpp"
#include "svi/data/partition.hpp"
#include "svi/trainer/evaluator.hpp"
#include "svi/trainer/training_data.hpp"

namespace svi::cli {

namespace {

using Json = nlohmann::ordered_json;

struct EvaluateOptions {
  std::string checkpoint;
  std::string data;
  LatentEvaluationOptions latent;
  bool is_json = false;
  trainer::TrainedModel trained;
  std::exception_ptr problem;  // met before the ranks were launched
};

Json to_json(const EvaluatedRows& evaluated) {
  Json json{{"split", evaluated.split}, {"data", evaluated.path}};
  if (evaluated.rows > 0) json["rows"] = evaluated.rows;
  for (const auto& [name, value] : evaluated.metrics.values)
    json[name] = std::isfinite(value) ? Json(value) : Json(nullptr);
  for (const auto& [name, values] : evaluated.metrics.vectors) json[name] = values;
  return json;
}

// One file in whole: it is its own reference for figures that want a pass over training rows.
EvaluatedRows evaluate_file(const EvaluateOptions& options, comm::Communicator& communicator) {
  data::LocalRows local;
  std::string path;
  comm::together(communicator, "reading the data", [&] {
    const auto file = std::make_shared<const data::DataFile>(options.data);
    require_fit(options.trained, file->facts(), "--data");
    path = file->facts().path;
    local = local_part(options.trained, file, first_rows(file->facts().rows), communicator);
  });
  trainer::Evaluator evaluator(*options.trained.model, communicator, options.trained.checkpoint.state.seed);
  return {"file", path, 0, evaluator.evaluate(options.trained.parameters(), local, local)};
}

// What the run itself evaluates: its validation rows and its test file.
std::vector<EvaluatedRows> evaluate_run(const EvaluateOptions& options, comm::Communicator& communicator) {
  const trainer::Settings& settings = options.trained.settings;
  const trainer::TrainingData data(settings, settings.model->takes_counts(), communicator,
                                   trainer::RowUse::passes);
  comm::together(communicator, "comparing model and data", [&] {
    require_fit(options.trained, data.facts(), "data.train");
    if (data.counts_words()) return;  // counts were checked as they were read
    const std::string& validation = settings.data.validation;
    trainer::require_fit(*options.trained.model, data.validation(),
                         validation.empty() ? settings.data.train : validation);
    trainer::require_fit(*options.trained.model, data.test(), settings.data.test);
  });
  trainer::Evaluator evaluator(*options.trained.model, communicator, options.trained.checkpoint.state.seed);
  const auto figures = [&](const data::LocalRows& rows) {
    return evaluator.evaluate(options.trained.parameters(), rows, data.reference());
  };
  std::vector<EvaluatedRows> results;
  if (data.validation_rows() > 0)
    results.push_back({"validation", data.facts().path, 0, figures(data.validation())});
  if (data.test_rows() > 0) {
    results.push_back(
        {"test", std::filesystem::absolute(settings.data.test).string(), 0, figures(data.test())});
  }
  return results;
}

std::vector<EvaluatedRows> evaluate_all(const EvaluateOptions& options, comm::Communicator& communicator) {
  if (dynamic_cast<const LatentModel*>(options.trained.model.get()) != nullptr)
    return evaluate_latent(options.trained, options.data, options.latent, communicator);
  comm::together(communicator, "reading the options", [&] {
    if (options.latent.samples > 0) latent_model_of(options.trained, "--nll");
    if (options.latent.rows > 0) latent_model_of(options.trained, "--rows");
  });
  if (!options.data.empty()) return {evaluate_file(options, communicator)};
  return evaluate_run(options, communicator);
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  return value.is_number() ? fmt::format("{:.6g}", value.get<double>()) : value.dump();
}

std::string tables(const std::vector<Json>& results) {
  std::string text;
  for (const Json& result : results) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, value] : result.items()) {
      if (!value.is_array()) rows.push_back({name, text_of(value)});
    }
    text += (text.empty() ? "" : "\n") + table_text({{""}, {""}}, rows);
  }
  return text;
}

ExitCode evaluate(EvaluateOptions& options, comm::Communicator& communicator) {
  comm::together(communicator, "opening the model", [&] {
    if (options.problem) std::rethrow_exception(options.problem);
    if (communicator.rank() == 0) tell_rejected(options.trained);
    trainer::use_threads(options.trained.settings);  // as in training
  });
  require_same_checkpoint(options.trained, communicator);
  std::vector<Json> results;
  for (const EvaluatedRows& evaluated : evaluate_all(options, communicator))
    results.push_back(to_json(evaluated));
  comm::together(communicator, "telling the figures", [&] {
    if (results.empty()) {
      throw Error(ExitCode::usage, "the run has neither validation nor test data; name a file with --data");
    }
    std::string text;
    for (const Json& result : results) text += result.dump() + "\n";
    print_on_root(options.is_json ? text : tables(results), communicator);
  });
  return ExitCode::done;
}

}  // namespace

void declare_evaluate(CLI::App& app, RanksAction& action) {
  CLI::App* command =
      app.add_subcommand("evaluate", "held-out figures of a checkpoint; alone or under mpirun");
  const auto options = std::make_shared<EvaluateOptions>();
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command->add_option("--data", options->data,
                      "a file to evaluate, in place of the run's validation and test data");
  within(command->add_option("--nll", options->latent.samples,
                             "of a VAE: also -ln p(x), by so many importance samples of each row"),
         Range::between(1, 1 << 24));
  within(command->add_option("--rows", options->latent.rows, "of a VAE: only the first so many rows"),
         Range::at_least(1));
  command->add_flag("--json", options->is_json, "as JSON, one object a line");
  command->footer(
      "Examples:\n"
      "  svi-infer evaluate runs/lda-debian\n"
      "  svi-infer evaluate runs/vae-fashion-mnist --data data/fashion-mnist-test.h5 --json\n"
      "  mpirun -np 2 svi-infer evaluate runs/vae-fashion-mnist --nll 5000 --rows 2000");
  command->callback([options, &action] {
    try {
      options->trained = trainer::load_model(options->checkpoint);
      options->data.empty() ? try_data(options->trained.settings) : data::open_in_child(options->data);
    } catch (const std::exception&) {
      options->problem = std::current_exception();  // told on the ranks, once
    }
    action = [options](comm::Communicator& communicator) { return evaluate(*options, communicator); };
  });
}

}  // namespace svi::cli
