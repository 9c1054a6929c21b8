#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/cli/infer.hpp"
#include "svi/cli/open_data.hpp"
#include "svi/cli/table.hpp"
#include "svi/comm/single_process.hpp"
#include "svi/trainer/evaluator.hpp"
#include "svi/trainer/trained_model.hpp"
#include "svi/trainer/training_data.hpp"

namespace svi::cli {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const std::string& split, const std::string& source, const Metrics& metrics) {
  Json json{{"split", split}, {"data", source}};
  for (const auto& [name, value] : metrics.values)
    json[name] = std::isfinite(value) ? Json(value) : Json(nullptr);
  for (const auto& [name, values] : metrics.vectors) json[name] = values;
  return json;
}

// One file in whole: it is its own reference for figures that want a pass over training rows.
std::vector<Json> evaluate_file(trainer::TrainedModel& trained, trainer::Evaluator& evaluator,
                                const std::string& path) {
  const data::DataFile file = open_data(path);
  require_fit(trained, file.facts(), "--data");
  std::vector<std::int64_t> rows(static_cast<std::size_t>(file.facts().rows));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  const data::LocalRows local(file, rows);
  return {to_json("file", file.facts().path, evaluator.evaluate(trained.parameters(), local, local))};
}

// What the run itself evaluates: its validation rows and its test file.
std::vector<Json> evaluate_run(trainer::TrainedModel& trained, trainer::Evaluator& evaluator,
                               comm::Communicator& communicator) {
  try_data(trained.settings);
  const trainer::TrainingData data(trained.settings, trained.settings.model->takes_counts(), communicator, trainer::RowUse::passes);
  require_fit(trained, data.facts(), "data.train");
  std::vector<Json> results;
  if (data.validation_rows() > 0) {
    results.push_back(to_json("validation", data.facts().path,
                              evaluator.evaluate(trained.parameters(), data.validation(), data.reference())));
  }
  if (data.test_rows() > 0) {
    results.push_back(to_json("test", std::filesystem::absolute(trained.settings.data.test).string(),
                              evaluator.evaluate(trained.parameters(), data.test(), data.reference())));
  }
  if (results.empty()) {
    throw Error(ExitCode::usage, "the run has neither validation nor test data; name a file with --data");
  }
  return results;
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() ? fmt::format("{:.6g}", value.get<double>()) : value.dump();
}

void print_tables(const std::vector<Json>& results) {
  const char* gap = "";
  for (const Json& result : results) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, value] : result.items()) {
      if (!value.is_array()) rows.push_back({name, text_of(value)});
    }
    fmt::print("{}{}", std::exchange(gap, "\n"), table_text({{""}, {""}}, rows));
  }
}

}  // namespace

void declare_evaluate(CLI::App& app) {
  CLI::App* command = app.add_subcommand("evaluate", "held-out figures of a checkpoint");
  const auto path = std::make_shared<std::string>();
  const auto data = std::make_shared<std::string>();
  const auto is_json = std::make_shared<bool>(false);
  command->add_option("checkpoint", *path, "a checkpoint, or a run directory")->required();
  command->add_option("--data", *data, "a file to evaluate, in place of the run's validation and test data");
  command->add_flag("--json", *is_json, "as JSON, one object a line");
  command->footer(
      "Examples:\n"
      "  svi-infer evaluate runs/lda-debian\n"
      "  svi-infer evaluate runs/vae-fashion-mnist --data data/fashion-mnist-test.h5 --json");
  command->callback([path, data, is_json] {
    comm::SingleProcess communicator;
    trainer::TrainedModel trained = load_and_tell(*path);
    trainer::Evaluator evaluator(*trained.model, communicator, trained.checkpoint.state.seed);
    const std::vector<Json> results = data->empty() ? evaluate_run(trained, evaluator, communicator)
                                                    : evaluate_file(trained, evaluator, *data);
    communicator.close();
    if (!*is_json) return print_tables(results);
    for (const Json& result : results) fmt::print("{}\n", result.dump());
  });
}

}  // namespace svi::cli
