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

namespace svi::cli {

namespace {

struct EncodeOptions {
  std::string checkpoint;
  std::string input;
  std::string output;
  std::int64_t samples = 0;
  bool is_json = false;
  std::exception_ptr problem;  // met before the ranks were launched
};

std::vector<data::Embedding> embeddings_of(std::int64_t latent, std::int64_t samples) {
  std::vector<data::Embedding> list{{"X_vae", data::numbered("mean", latent)},
                                    {"X_vae_sd", data::numbered("sd", latent)}};
  for (std::int64_t s = 0; s < samples; ++s)
    list.push_back({fmt::format("X_vae_sample_{}", s), data::numbered(fmt::format("sample_{}", s), latent)});
  return list;
}

std::string report(const EncodeOptions& options, const trainer::TrainedModel& trained,
                   const data::DataFacts& facts, std::int64_t latent) {
  if (options.is_json) {
    return nlohmann::ordered_json{{"checkpoint", trained.path}, {"input", facts.path},
                                  {"output", options.output},   {"rows", facts.rows},
                                  {"latent", latent},           {"samples", options.samples}}
               .dump() +
           "\n";
  }
  return fmt::format("{} rows × {} latent dimensions in {}{}\n", count_text(facts.rows), latent,
                     options.output,
                     options.samples > 0 ? fmt::format(", with {} draws of each", options.samples) : "");
}

ExitCode encode(const EncodeOptions& options, comm::Communicator& communicator) {
  trainer::TrainedModel trained;
  LatentModel* model = nullptr;
  const bool is_root = communicator.rank() == 0;
  comm::together(communicator, "opening the model", [&] {
    if (options.problem) std::rethrow_exception(options.problem);
    trained = is_root ? load_and_tell(options.checkpoint) : trainer::load_model(options.checkpoint);
    model = &latent_model_of(trained, "encode");
    trainer::use_threads(trained.settings);  // as in training
  });
  require_same_checkpoint(trained, communicator);
  const LatentRows rows(trained, options.input, "INPUT", communicator);
  std::unique_ptr<data::EmbeddingFile> file;
  comm::together(communicator, "creating the output", [&] {
    if (!is_root) return;
    require_output(options.output, {trained.path, options.input});
    file = data::create_embedding_file(options.output, data::read_document_ids(rows.facts()),
                                       embeddings_of(model->latent(), options.samples));
  });
  rows.pass(first_rows(rows.facts().rows), posterior_figures(trained, options.samples),
            [&](std::span<const double> some) { file->add(std::vector<float>(some.begin(), some.end())); });
  comm::together(communicator, "saving the output", [&] {
    if (!is_root) return;
    file->commit();
    print_on_root(report(options, trained, rows.facts(), model->latent()), communicator);
  });
  return ExitCode::done;
}

}  // namespace

void declare_encode(CLI::App& app, RanksAction& action) {
  CLI::App* command =
      app.add_subcommand("encode", "q(z|x) of a VAE for each row of a file; alone or under mpirun");
  const auto options = std::make_shared<EncodeOptions>();
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command->add_option("input", options->input, "a file of rows like those of the training data")->required();
  command->add_option("--output", options->output, "the file to write: .h5ad or .h5 (AnnData), or .tsv")
      ->required();
  within(command->add_option("--samples", options->samples, "draws of z for each row besides"),
         Range::between(0, 1000))
      ->capture_default_str();
  command->add_flag("--json", options->is_json, "say what was done as JSON");
  command->footer(
      "Means are in obsm/X_vae, standard deviations in obsm/X_vae_sd, draws in obsm/X_vae_sample_0, …\n\n"
      "Examples:\n"
      "  svi-infer encode runs/vae-fashion-mnist data/fashion-mnist-test.h5 --output z.h5ad\n"
      "  mpirun -np 2 svi-infer encode runs/vae-fashion-mnist cells.h5ad --samples 10 --output z.h5ad");
  command->callback([options, &action] {
    try {
      require_output(options->output, {options->input});
      data::require_embedding_ending(options->output, 2);
      data::open_in_child(options->input);
    } catch (const std::exception&) {
      options->problem = std::current_exception();  // told on the ranks, once
    }
    action = [options](comm::Communicator& communicator) { return encode(*options, communicator); };
  });
}

}  // namespace svi::cli
