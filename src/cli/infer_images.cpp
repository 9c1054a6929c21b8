#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "picture_grid.hpp"
#include "svi/base/error.hpp"
#include "svi/base/units.hpp"
#include "svi/cli/arguments.hpp"
#include "svi/cli/infer.hpp"
#include "svi/cli/open_data.hpp"
#include "svi/data/local_rows.hpp"
#include "svi/io/atomic_file.hpp"
#include "svi/models/label_model.hpp"
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
  double temperature = 1;
  std::vector<std::int64_t> ends;  // of interpolations: pairs of rows
  std::int64_t traversed = -1;     // row; none when negative
  std::vector<std::int64_t> dimensions;
  std::vector<std::int64_t> labels;
  double range = 3;
  std::int64_t steps = 11;
};

struct Pictures {
  Tensor originals;  // [B, D] in [0, 1]
  Minibatch rows;
};

void require_pictures(const trainer::TrainedModel& trained) {
  const auto& shape = trained.checkpoint.facts.feature_shape;
  if (is_picture(shape)) return;
  throw Error(
      ExitCode::usage,
      "{} was trained on rows of shape [{}]; pictures need a model trained on rows of [height, width], "
      "or [height, width, 3] for red, green and blue",
      trained.path, fmt::join(shape, ", "));
}

LatentModel& generator_of(trainer::TrainedModel& trained) {
  auto* generator = dynamic_cast<LatentModel*>(trained.model.get());
  if (generator == nullptr) {
    const bool has_topics = dynamic_cast<const TopicModel*>(trained.model.get()) != nullptr;
    throw Error(ExitCode::usage,
                "{} holds a model of type {}; sample and reconstruct are for models of pictures{}",
                trained.path, trained.checkpoint.facts.model,
                has_topics ? ", for this one use svi-infer topics" : "");
  }
  require_pictures(trained);
  return *generator;
}

trainer::TrainedModel open_model(const ImageOptions& options) {
  trainer::TrainedModel trained = load_and_tell(options.checkpoint);
  require_output(options.output, {trained.path});
  io::require_ending(options.output, {".png"});
  return trained;
}

std::string data_path(const ImageOptions& options, const trainer::TrainedModel& trained) {
  const std::string path = options.data.empty() ? trained.settings.data.test : options.data;
  if (path.empty()) throw Error(ExitCode::usage, "the run has no test data; name a file with --data");
  require_output(options.output, {trained.path, path});
  return path;
}

data::DataFile open_pictures(const ImageOptions& options, const trainer::TrainedModel& trained) {
  data::DataFile file = open_data(data_path(options, trained));
  require_fit(trained, file.facts(), options.data.empty() ? "data.test" : "--data");
  return file;
}

// Rows in the order they are asked for, of which some may be named twice.
Pictures pictures_of(const LatentModel& model, const data::DataFile& file,
                     const std::vector<std::int64_t>& rows, const char* option) {
  const data::DataFacts& facts = file.facts();
  for (const std::int64_t row : rows) {
    if (row >= 0 && row < facts.rows) continue;
    throw Error(ExitCode::usage, "{} names row {}, but {} has the rows 0 to {}", option, row, facts.path,
                facts.rows - 1);
  }
  std::vector<std::int64_t> sorted = rows;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  Pictures pictures{.rows = data::LocalRows(file, sorted).gather(rows, 0)};
  pictures.originals = model.pictures(pictures.rows);
  return pictures;
}

void draw(const ImageOptions& options, trainer::TrainedModel& trained) {
  LatentModel& model = generator_of(trained);
  const Tensor z = model.prior_draws(trained.parameters(), options.count, Philox(options.seed));
  const Tensor pictures = model.decode(trained.parameters(), z * options.temperature);
  const auto columns = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(options.count))));
  write_grid(options.output, pictures, trained.checkpoint.facts.feature_shape, columns);
  fmt::print("{} pictures in {}\n", count_text(options.count), options.output);
}

// A line for each class, and in every line the same draws of z.
void draw_classes(const ImageOptions& options, trainer::TrainedModel& trained) {
  LabelModel& model = label_model_of(trained, "--label");
  require_pictures(trained);
  std::vector<std::int64_t> labels = options.labels;
  for (std::int64_t c = 0; options.labels.empty() && c < model.classes(); ++c) labels.push_back(c);
  const Tensor z =
      model.latent_draws(trained.parameters(), options.count, Philox(options.seed)) * options.temperature;
  std::vector<Tensor> lines;
  for (const std::int64_t label : labels) {
    if (label < 0 || label >= model.classes()) {
      throw Error(ExitCode::usage, "--label is {}, but {} has the classes 0 to {}", label, trained.path,
                  model.classes() - 1);
    }
    const Tensor all_of_it = at::full({options.count}, label, at::kLong);
    lines.push_back(model.decode(trained.parameters(), z, all_of_it).clone());
  }
  write_grid(options.output, at::cat(lines), trained.checkpoint.facts.feature_shape, options.count);
  fmt::print("{} draws of the classes {} in {}, a line each\n", options.count, fmt::join(labels, ", "),
             options.output);
}

// A line for each pair: a picture, its reconstruction, those on the way, the other's, the other picture.
void interpolate(const ImageOptions& options, trainer::TrainedModel& trained) {
  LatentModel& model = generator_of(trained);
  if (options.ends.size() % 2 != 0) {
    throw Error(ExitCode::usage, "--interpolate names {} rows, expected pairs: A B, or A B C D …",
                options.ends.size());
  }
  const Pictures pictures =
      pictures_of(model, open_pictures(options, trained), options.ends, "--interpolate");
  const Tensor means = model.encode(trained.parameters(), pictures.rows, Philox(options.seed)).mean;
  const auto pairs = static_cast<std::int64_t>(options.ends.size() / 2);
  const Tensor ways = interpolation(model, trained.parameters(), means, options.steps)
                          .to(at::kFloat)
                          .view({pairs, options.steps, -1});
  const Tensor ends = pictures.originals.view({pairs, 2, -1});
  const Tensor lines = at::cat({ends.narrow(1, 0, 1), ways, ends.narrow(1, 1, 1)}, 1);
  write_grid(options.output, lines.reshape({-1, lines.size(2)}), trained.checkpoint.facts.feature_shape,
             options.steps + 2);
  fmt::print("{} in {}, at both ends the pictures themselves\n",
             pairs == 1 ? "1 interpolation" : count_text(pairs) + " interpolations", options.output);
}

void traverse(const ImageOptions& options, trainer::TrainedModel& trained) {
  LatentModel& model = generator_of(trained);
  std::vector<std::int64_t> dimensions = options.dimensions;
  for (std::int64_t j = 0; options.dimensions.empty() && j < model.latent(); ++j) dimensions.push_back(j);
  for (const std::int64_t j : dimensions) {
    if (j >= 0 && j < model.latent()) continue;
    throw Error(ExitCode::usage,
                "--dimensions names {}, but the latent vector of {} has the dimensions 0 to {}", j,
                trained.path, model.latent() - 1);
  }
  const Pictures pictures =
      pictures_of(model, open_pictures(options, trained), {options.traversed}, "--traverse");
  const Tensor mean = model.encode(trained.parameters(), pictures.rows, Philox(options.seed)).mean[0];
  const Tensor lines = traversal(model, trained.parameters(), mean, dimensions, options.range, options.steps);
  write_grid(options.output, lines, trained.checkpoint.facts.feature_shape, options.steps);
  fmt::print("row {} in {}: from -{:g} to {:g} in the dimensions {}, a line each\n", options.traversed,
             options.output, options.range, options.range, fmt::join(dimensions, ", "));
}

void sample(const ImageOptions& options) {
  trainer::TrainedModel trained = open_model(options);
  const bool has_classes = dynamic_cast<const LabelModel*>(trained.model.get()) != nullptr;
  const bool only_draws = options.ends.empty() && options.traversed < 0;
  if (!options.labels.empty() || (has_classes && only_draws)) return draw_classes(options, trained);
  if (!options.ends.empty()) return interpolate(options, trained);
  options.traversed >= 0 ? traverse(options, trained) : draw(options, trained);
}

// Each picture of the data with its reconstruction below, sixteen pairs a row.
void reconstruct(const ImageOptions& options) {
  trainer::TrainedModel trained = open_model(options);
  LatentModel& model = generator_of(trained);
  const data::DataFile file = open_pictures(options, trained);
  const data::DataFacts& facts = file.facts();
  const std::int64_t count = std::min(options.count, facts.rows - options.first);
  if (count < 1)
    throw Error(ExitCode::usage, "--first is {}, but {} has {} rows", options.first, facts.path, facts.rows);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), options.first);
  const Pictures pictures = pictures_of(model, file, rows, "--first");
  const Tensor mean = model.encode(trained.parameters(), pictures.rows, Philox(options.seed)).mean;
  const Tensor reconstructions = model.decode(trained.parameters(), mean).to(at::kFloat);
  constexpr std::int64_t columns = 16;
  std::vector<Tensor> lines;
  for (std::int64_t first = 0; first < count; first += columns) {
    const std::int64_t last = std::min(first + columns, count);
    for (const Tensor& some : {pictures.originals, reconstructions}) {
      lines.push_back(some.slice(0, first, last));
      if (last - first < columns && count > columns)
        lines.push_back(at::zeros({columns - (last - first), some.size(1)}));
    }
  }
  write_grid(options.output, at::cat(lines), trained.checkpoint.facts.feature_shape,
             std::min(columns, count));
  fmt::print("{} pairs in {}, each picture above its reconstruction\n", count_text(count), options.output);
}

}  // namespace

void declare_sample(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "sample", "pictures drawn from the model, between rows of data, or along dimensions of z, as a PNG");
  const auto options = std::make_shared<ImageOptions>();
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command->add_option("--output", options->output, "the file to write: .png")->required();
  within(command->add_option("--count", options->count, "how many draws"), Range::between(1, 10000))
      ->capture_default_str();
  within(command->add_option("--seed", options->seed, "keys the draws"), Range::at_least(0))
      ->capture_default_str();
  within(command->add_option("--temperature", options->temperature, "the prior's standard deviation"),
         Range::between(0, 100))
      ->capture_default_str();
  CLI::Option* label = command
                           ->add_option("--label", options->labels,
                                        "of a model of classes: those to draw, such as 3 or 0,3,5, a line of "
                                        "COUNT pictures each; default: all")
                           ->delimiter(',');
  CLI::Option* ends = command
                          ->add_option("--interpolate", options->ends,
                                       "from row A of the data to row B; more pairs, more lines")
                          ->type_name("A B");
  CLI::Option* row = within(command->add_option("--traverse", options->traversed,
                                                "a row of the data, each dimension of its z changed in turn"),
                            Range::at_least(0));
  row->excludes(ends);
  label->excludes(ends)->excludes(row);
  command->add_option("--dimensions", options->dimensions, "of --traverse, such as 0,4,7; default: all")
      ->delimiter(',')
      ->needs(row);
  within(command->add_option("--range", options->range, "of --traverse: from -RANGE to RANGE"),
         Range::between(0.001, 1000))
      ->capture_default_str();
  within(command->add_option("--steps", options->steps, "pictures of a line"), Range::between(2, 1000))
      ->capture_default_str();
  command->add_option("--data", options->data, "the file with the rows; default: the run's test data");
  command->footer(
      "Examples:\n"
      "  svi-infer sample runs/vae-fashion-mnist --temperature 0.7 --output samples.png\n"
      "  svi-infer sample runs/m2-mnist --label 0,3,5 --count 12 --output classes.png\n"
      "  svi-infer sample runs/vae-fashion-mnist --interpolate 0 1 2 3 --steps 9 --output between.png\n"
      "  svi-infer sample runs/vae-fashion-mnist --traverse 5 --dimensions 0,4,7 --range 3 --output "
      "along.png");
  command->callback([options] { sample(*options); });
}

void declare_reconstruct(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("reconstruct", "pictures of the data above their reconstructions, as a PNG");
  const auto options = std::make_shared<ImageOptions>();
  options->count = 32;
  command->add_option("checkpoint", options->checkpoint, "a checkpoint, or a run directory")->required();
  command->add_option("--data", options->data, "the file with the pictures; default: the run's test data");
  command->add_option("--output", options->output, "the file to write: .png")->required();
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
