#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "svi/base/error.hpp"
#include "svi/base/units.hpp"
#include "svi/cli/arguments.hpp"
#include "svi/cli/infer.hpp"
#include "svi/cli/open_data.hpp"
#include "svi/data/local_rows.hpp"
#include "svi/io/png.hpp"
#include "svi/trainer/trained_model.hpp"

namespace svi::cli {

namespace {

struct ImageOptions {
  std::string checkpoint;
  std::string output;
  std::string data;
  std::int64_t count = 64;
  std::int64_t first = 0;
  std::uint64_t seed = 1;
};

ImageGenerator& generator_of(trainer::TrainedModel& trained) {
  auto* generator = dynamic_cast<ImageGenerator*>(trained.model.get());
  const auto& shape = trained.checkpoint.facts.feature_shape;
  if (generator == nullptr) {
    const bool has_topics = dynamic_cast<const TopicModel*>(trained.model.get()) != nullptr;
    throw Error(ExitCode::usage,
                "{} holds a model of type {}; sample and reconstruct are for models of pictures{}",
                trained.path, trained.checkpoint.facts.model,
                has_topics ? ", for this one use svi-infer topics" : "");
  }
  if (shape.size() != 2) {
    throw Error(
        ExitCode::usage,
        "{} was trained on rows of shape [{}]; pictures need a model trained on rows of [height, width]",
        trained.path, fmt::join(shape, ", "));
  }
  return *generator;
}

/// Pictures [count, height·width] in [0, 1] side by side with a border of two pixels.
void write_grid(const std::string& path, const Tensor& pictures, const std::vector<std::int64_t>& shape,
                std::int64_t columns) {
  constexpr std::int64_t border = 2;
  const std::int64_t rows = (pictures.size(0) + columns - 1) / columns;
  const std::int64_t height = rows * (shape[0] + border) + border;
  const std::int64_t width = columns * (shape[1] + border) + border;
  const Tensor grid = at::full({height, width}, 64, at::kByte);
  const Tensor bytes = pictures.clamp(0, 1).mul(255).round().to(at::kByte).view({-1, shape[0], shape[1]});
  for (std::int64_t i = 0; i < bytes.size(0); ++i) {
    const std::int64_t top = border + i / columns * (shape[0] + border);
    const std::int64_t left = border + i % columns * (shape[1] + border);
    grid.narrow(0, top, shape[0]).narrow(1, left, shape[1]).copy_(bytes[i]);
  }
  io::write_png(path, height, width, 1,
                {grid.data_ptr<std::uint8_t>(), static_cast<std::size_t>(grid.numel())});
}

void sample(const ImageOptions& options) {
  trainer::TrainedModel trained = load_and_tell(options.checkpoint);
  require_output(options.output, {trained.path});
  const Tensor pictures =
      generator_of(trained).sample(trained.parameters(), options.count, Philox(options.seed));
  const auto columns = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(options.count))));
  write_grid(options.output, pictures, trained.checkpoint.facts.feature_shape, columns);
  fmt::print("{} pictures in {}\n", count_text(options.count), options.output);
}

// Each picture of the data with its reconstruction below, sixteen pairs a row.
void reconstruct(const ImageOptions& options) {
  trainer::TrainedModel trained = load_and_tell(options.checkpoint);
  ImageGenerator& generator = generator_of(trained);
  const std::string path = options.data.empty() ? trained.settings.data.test : options.data;
  if (path.empty()) throw Error(ExitCode::usage, "the run has no test data; name a file with --data");
  require_output(options.output, {trained.path, path});
  const data::DataFile file = open_data(path);
  require_fit(trained, file.facts(), options.data.empty() ? "data.test" : "--data");
  const std::int64_t count = std::min(options.count, file.facts().rows - options.first);
  if (count < 1)
    throw Error(ExitCode::usage, "--first is {}, but {} has {} rows", options.first, path, file.facts().rows);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), options.first);
  const Minibatch minibatch = data::LocalRows(file, rows).slice(0, count, 0);
  const Tensor originals =
      std::get<DenseRows>(minibatch.rows).features.to(at::kFloat).div(file.facts().is_uint8 ? 255 : 1);
  const Tensor reconstructions = generator.reconstruct(trained.parameters(), minibatch);
  constexpr std::int64_t columns = 16;
  std::vector<Tensor> lines;
  for (std::int64_t first = 0; first < count; first += columns) {
    const std::int64_t last = std::min(first + columns, count);
    for (const Tensor& pictures : {originals, reconstructions}) {
      lines.push_back(pictures.slice(0, first, last));
      if (last - first < columns && count > columns)
        lines.push_back(at::zeros({columns - (last - first), pictures.size(1)}));
    }
  }
  write_grid(options.output, at::cat(lines), trained.checkpoint.facts.feature_shape,
             std::min(columns, count));
  fmt::print("{} pairs in {}, each picture above its reconstruction\n", count_text(count), options.output);
}

}  // namespace

void declare_sample(CLI::App& app) {
  CLI::App* command = app.add_subcommand("sample", "pictures drawn from the model, as a PNG");
  const auto options = std::make_shared<ImageOptions>();
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command->add_option("--output", options->output, "the PNG to write")->required();
  within(command->add_option("--count", options->count, "how many"), Range::between(1, 10000))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "keys the draws")->capture_default_str();
  command->footer("Example:\n  svi-infer sample runs/vae-fashion-mnist --output samples.png");
  command->callback([options] { sample(*options); });
}

void declare_reconstruct(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("reconstruct", "pictures of the data above their reconstructions, as a PNG");
  const auto options = std::make_shared<ImageOptions>();
  options->count = 32;
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command->add_option("--data", options->data, "the file with the pictures; default: the run's test data");
  command->add_option("--output", options->output, "the PNG to write")->required();
  within(command->add_option("--count", options->count, "how many pairs"), Range::between(1, 10000))
      ->capture_default_str();
  within(command->add_option("--first", options->first, "the first row, counted from 0"), Range::at_least(0))
      ->capture_default_str();
  command->footer(
      "Example:\n  svi-infer reconstruct runs/vae-fashion-mnist --data data/fashion-mnist-test.h5 --output "
      "pairs.png");
  command->callback([options] { reconstruct(*options); });
}

}  // namespace svi::cli
