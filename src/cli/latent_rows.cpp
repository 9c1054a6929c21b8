#include "latent_rows.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "svi/base/error.hpp"
#include "svi/cli/infer.hpp"
#include "svi/data/local_rows.hpp"
#include "svi/trainer/evaluator.hpp"

namespace svi::cli {

namespace {

constexpr std::int64_t rows_at_once = 500;     // as evaluations take them
constexpr std::int64_t evidences_at_once = 4;  // each is computed for itself, so that few keep ranks even

Philox noise_of(const trainer::TrainedModel& trained) { return Philox(trained.checkpoint.state.seed); }

Tensor as_figures(const Tensor& values) { return values.to(at::kCPU, at::kDouble).contiguous(); }

}  // namespace

LatentModel& latent_model_of(const trainer::TrainedModel& trained, const char* command) {
  auto* model = dynamic_cast<LatentModel*>(trained.model.get());
  if (model != nullptr) return *model;
  const bool has_topics = dynamic_cast<const TopicModel*>(trained.model.get()) != nullptr;
  throw Error(ExitCode::usage, "{} holds a model of type {}; {} is for models with a latent vector, as vae{}",
              trained.path, trained.checkpoint.facts.model, command,
              has_topics ? ", for this one use svi-infer transform or evaluate" : "");
}

std::vector<std::int64_t> first_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

LatentRows::LatentRows(const trainer::TrainedModel& trained, const std::string& path, const char* key,
                       comm::Communicator& communicator, RowCheck check)
    : trained_(trained), communicator_(communicator), check_(check) {
  comm::together(communicator, "opening the rows", [&] {
    file_ = std::make_shared<const data::DataFile>(path);
    cli::require_fit(trained, facts(), key);
  });
  comm::require_same(communicator, path, facts().fingerprint);
}

void LatentRows::require_fit(const Minibatch& rows) const try {
  if (facts().layout == data::Layout::dense) trained_.model->require_fit(rows);  // counts: checked when read
} catch (const Error& error) {
  throw Error(error.code(), "{}: {}", facts().path, error.what());
}

Tensor LatentRows::of_block(std::span<const std::int64_t> rows, const RowFigures& figures) const {
  Minibatch minibatch = data::LocalRows(*file_, rows).slice(0, std::ssize(rows), trainer::evaluation_step);
  // No figure looks at labels: they may be of classes that the model does not know.
  if (auto* dense = std::get_if<DenseRows>(&minibatch.rows)) dense->labels.reset();
  if (check_ == RowCheck::in_passing) require_fit(minibatch);
  return as_figures(figures.of_rows(minibatch));
}

void LatentRows::pass(std::span<const std::int64_t> rows, const RowFigures& figures, const Take& take) const {
  if (figures.is_slow) {
    pass_in_turns(rows, figures, take);
  } else {
    pass_in_rounds(rows, figures, take);
  }
}

void LatentRows::pass_in_rounds(std::span<const std::int64_t> rows, const RowFigures& figures,
                                const Take& take) const {
  const auto ranks = static_cast<std::size_t>(communicator_.size());
  const auto rank = static_cast<std::size_t>(communicator_.rank());
  const auto width = static_cast<std::size_t>(figures.width);
  const std::size_t block = std::min(static_cast<std::size_t>(figures.rows_at_once), rows.size());
  std::vector<double> mine(block * width);
  std::vector<double> all(ranks * block * width);
  for (std::size_t round = 0; round < rows.size(); round += ranks * block) {
    comm::together(communicator_, figures.name, [&] {
      const std::size_t first = std::min(rows.size(), round + rank * block);
      const std::size_t count = std::min(block, rows.size() - first);
      if (count == 0) return;
      const Tensor found = of_block(rows.subspan(first, count), figures);
      std::copy_n(found.const_data_ptr<double>(), found.numel(), mine.begin());
    });
    communicator_.control()
        .all_gather(comm::buffer_of(std::span(mine)), comm::buffer_of(std::span(all)), figures.name)
        ->wait();
    const std::size_t count = std::min(ranks * block, rows.size() - round);
    comm::together(communicator_, figures.name, [&] {
      if (rank == 0) take(std::span<const double>(all).first(count * width));
    });
  }
}

void LatentRows::pass_in_turns(std::span<const std::int64_t> rows, const RowFigures& figures,
                               const Take& take) const {
  const auto width = static_cast<std::size_t>(figures.width);
  std::vector<double> all(rows.size() * width);
  comm::in_turns(communicator_, figures.name, std::ssize(rows), figures.rows_at_once,
                 [&](std::int64_t first, std::int64_t last) {
                   const auto place = static_cast<std::size_t>(first);
                   const auto count = static_cast<std::size_t>(last - first);
                   const Tensor found = of_block(rows.subspan(place, count), figures);
                   std::copy_n(found.const_data_ptr<double>(), found.numel(), &all[place * width]);
                 });
  comm::all_reduce_sum(communicator_, all, figures.name);  // exact: all but one rank add 0
  comm::together(communicator_, figures.name, [&] {
    if (communicator_.rank() == 0) take(all);
  });
}

std::vector<double> LatentRows::figures(std::span<const std::int64_t> rows, const RowFigures& figures) const {
  std::vector<double> all;
  pass(rows, figures, [&](std::span<const double> some) { all.insert(all.end(), some.begin(), some.end()); });
  return all;
}

RowFigures posterior_figures(const trainer::TrainedModel& trained, std::int64_t samples) {
  LatentModel& model = latent_model_of(trained, "encode");
  return {"encoding rows", (2 + samples) * model.latent(), rows_at_once,
          [&trained, &model, samples](const Minibatch& rows) {
            const Philox noise = noise_of(trained);
            const Posterior posterior = model.encode(trained.parameters(), rows, noise);
            const Tensor draws = posterior_draws(posterior, rows.ids, samples, noise);
            return at::cat({posterior.mean, posterior.deviation, draws}, 1);
          }};
}

RowFigures bound_figures(const trainer::TrainedModel& trained) {
  LatentModel& model = latent_model_of(trained, "score");
  return {"bounding rows", 2, rows_at_once, [&trained, &model](const Minibatch& rows) {
            const RowBounds bounds = model.bounds(trained.parameters(), rows, noise_of(trained));
            return at::stack({bounds.reconstruction, bounds.kl}, 1);
          }};
}

RowFigures evidence_figures(const trainer::TrainedModel& trained, std::int64_t samples) {
  LatentModel& model = latent_model_of(trained, "--nll");
  return {"importance samples", 1, evidences_at_once,
          [&trained, &model, samples](const Minibatch& rows) {
            return model.log_evidence(trained.parameters(), rows, samples, noise_of(trained));
          },
          true};
}

}  // namespace svi::cli
