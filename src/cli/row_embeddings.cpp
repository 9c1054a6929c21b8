#include "row_embeddings.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "svi/base/error.hpp"
#include "svi/base/units.hpp"
#include "svi/cli/arguments.hpp"

namespace svi::cli {

namespace {

struct Options {
  std::string checkpoint;
  std::string input;
  std::string output;
  bool is_json = false;
  std::function<RowEmbeddings(const trainer::TrainedModel&)> embeddings_of;
  std::exception_ptr problem;  // met before the ranks were launched
};

std::string report(const Options& options, const trainer::TrainedModel& trained, const data::DataFacts& facts,
                   const RowEmbeddings& written) {
  if (!options.is_json)
    return fmt::format("{} rows × {} in {}\n", count_text(facts.rows), written.columns, options.output);
  nlohmann::ordered_json json{{"checkpoint", trained.path},
                              {"input", facts.path},
                              {"output", options.output},
                              {"rows", facts.rows}};
  for (const auto& [name, count] : written.counts) json[name] = count;
  return json.dump() + "\n";
}

ExitCode write_embeddings(const Options& options, comm::Communicator& communicator) {
  trainer::TrainedModel trained;
  RowEmbeddings wanted;
  const bool is_root = communicator.rank() == 0;
  comm::together(communicator, "opening the model", [&] {
    if (options.problem) std::rethrow_exception(options.problem);
    trained = is_root ? load_and_tell(options.checkpoint) : trainer::load_model(options.checkpoint);
    wanted = options.embeddings_of(trained);
    trainer::use_threads(trained.settings);  // as in training
  });
  require_same_checkpoint(trained, communicator);
  const LatentRows rows(trained, options.input, "INPUT", communicator);
  std::unique_ptr<data::EmbeddingFile> file;
  comm::together(communicator, "creating the output", [&] {
    if (!is_root) return;
    require_output(options.output, {trained.path, options.input});
    file = data::create_embedding_file(options.output, data::read_document_ids(rows.facts()),
                                       wanted.embeddings);
  });
  rows.pass(first_rows(rows.facts().rows), wanted.figures,
            [&](std::span<const double> some) { file->add(std::vector<float>(some.begin(), some.end())); });
  comm::together(communicator, "saving the output", [&] {
    if (!is_root) return;
    file->commit();
    print_on_root(report(options, trained, rows.facts(), wanted), communicator);
  });
  return ExitCode::done;
}

}  // namespace

std::exception_ptr problem_of_files(const std::string& input, const std::string& output, std::size_t embeddings) {
  try {
    require_output(output, {input});
    data::require_embedding_ending(output, embeddings);
    data::open_in_child(input);
  } catch (const std::exception&) {
    return std::current_exception();
  }
  return nullptr;
}

void declare_row_embeddings(CLI::App& command, RanksAction& action,
                            std::function<RowEmbeddings(const trainer::TrainedModel&)> embeddings_of) {
  const auto options = std::make_shared<Options>();
  options->embeddings_of = std::move(embeddings_of);
  command.add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command.add_option("input", options->input, "a file of rows like those of the training data")->required();
  command.add_option("--output", options->output, "the file to write: .h5ad or .h5 (AnnData), or .tsv")
      ->required();
  command.add_flag("--json", options->is_json, "say what was done as JSON");
  command.callback([options, &action] {
    options->problem = problem_of_files(options->input, options->output, 2);
    action = [options](comm::Communicator& communicator) { return write_embeddings(*options, communicator); };
  });
}

}  // namespace svi::cli
