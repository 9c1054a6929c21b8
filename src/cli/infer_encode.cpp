#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "row_embeddings.hpp"
#include "svi/cli/arguments.hpp"

namespace svi::cli {

namespace {

RowEmbeddings posteriors_of(const trainer::TrainedModel& trained, std::int64_t samples) {
  const std::int64_t latent = latent_model_of(trained, "encode").latent();
  RowEmbeddings list{.figures = posterior_figures(trained, samples),
                     .embeddings = {{"X_vae", data::numbered("mean", latent)},
                                    {"X_vae_sd", data::numbered("sd", latent)}},
                     .columns = fmt::format("{} latent dimensions", latent),
                     .counts = {{"latent", latent}, {"samples", samples}}};
  if (samples > 0) list.columns += fmt::format(" and {} draws of each", samples);
  for (std::int64_t s = 0; s < samples; ++s) {
    list.embeddings.push_back(
        {fmt::format("X_vae_sample_{}", s), data::numbered(fmt::format("sample_{}", s), latent)});
  }
  return list;
}

}  // namespace

void declare_encode(CLI::App& app, RanksAction& action) {
  CLI::App* command =
      app.add_subcommand("encode", "q(z|x) of a VAE for each row of a file; alone or under mpirun");
  const auto samples = std::make_shared<std::int64_t>(0);
  declare_row_embeddings(*command, action, [samples](const trainer::TrainedModel& trained) {
    return posteriors_of(trained, *samples);
  });
  within(command->add_option("--samples", *samples, "draws of z for each row besides"),
         Range::between(0, 1000))
      ->capture_default_str();
  command->footer(
      "Means are in obsm/X_vae, standard deviations in obsm/X_vae_sd, draws in obsm/X_vae_sample_0, …\n\n"
      "Examples:\n"
      "  svi-infer encode runs/vae-fashion-mnist data/fashion-mnist-test.h5 --output z.h5ad\n"
      "  mpirun -np 2 svi-infer encode runs/vae-fashion-mnist cells.h5ad --samples 10 --output z.h5ad");
}

}  // namespace svi::cli
