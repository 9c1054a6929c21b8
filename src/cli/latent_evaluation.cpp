#include "latent_evaluation.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "svi/data/partition.hpp"
#include "svi/trainer/evaluator.hpp"
#include "svi/trainer/training_data.hpp"

namespace svi::cli {

namespace {

constexpr std::int64_t information_rows = 5000;  // of I(x; z), whose cost grows with their square

struct HeldOut {
  std::string split;
  LatentRows file;
  std::vector<std::int64_t> rows;
};

// All rows of a file, which `evaluate` looks at before any pass.
HeldOut all_rows(const trainer::TrainedModel& trained, const char* split, const std::string& path,
                 const char* key, comm::Communicator& communicator) {
  HeldOut all{split, LatentRows(trained, path, key, communicator, RowCheck::before), {}};
  all.rows = first_rows(all.file.facts().rows);
  return all;
}

// Rows that the run held out of its training file, or all of its validation file; its test file.
std::vector<HeldOut> held_out_of(const trainer::TrainedModel& trained, comm::Communicator& communicator) {
  const trainer::DataOptions& data = trained.settings.data;
  std::vector<HeldOut> found;
  const auto add = [&](const char* split, const std::string& path, const char* key) -> HeldOut& {
    return found.emplace_back(all_rows(trained, split, path, key, communicator));
  };
  if (data.validation_fraction > 0) {
    HeldOut& rows = add("validation", data.train, "data.train");
    rows.rows = data::split_rows(rows.file.facts().rows, data.validation_fraction,
                                 static_cast<std::uint64_t>(data.split_seed))
                    .held_out;
  } else if (!data.validation.empty()) {
    add("validation", data.validation, "data.validation");
  }
  if (!data.test.empty()) add("test", data.test, "data.test");
  return found;
}

void add_information(const trainer::TrainedModel& trained, const HeldOut& held_out, Metrics& metrics,
                     const comm::Communicator& communicator) {
  const std::vector<std::int64_t> rows = data::spread_evenly(held_out.rows, information_rows);
  std::vector<double> values = held_out.file.figures(rows, posterior_figures(trained, 0));
  if (communicator.rank() != 0) return;
  const std::int64_t latent = latent_model_of(trained, "evaluate").latent();
  const Tensor posterior = at::from_blob(values.data(), {std::ssize(rows), 2 * latent}, at::kDouble);
  metrics.values["mutual_information"] =
      mutual_information({posterior.narrow(1, 0, latent), posterior.narrow(1, latent, latent)}, rows,
                         Philox(trained.checkpoint.state.seed));
}

// Values come in the order of rows, so that their sum is the same on any number of ranks.
void add_nll(const trainer::TrainedModel& trained, const HeldOut& held_out, std::int64_t samples,
             Metrics& metrics) {
  const std::vector<double> values = held_out.file.figures(held_out.rows, evidence_figures(trained, samples));
  const auto rows = static_cast<double>(held_out.rows.size());
  metrics.values["nll"] = -std::accumulate(values.begin(), values.end(), 0.0) / rows;
  metrics.values["nll_samples"] = static_cast<double>(samples);
}

Metrics evaluate(const trainer::TrainedModel& trained, const HeldOut& held_out,
                 const LatentEvaluationOptions& options, comm::Communicator& communicator) {
  trainer::Evaluator evaluator(*trained.model, communicator, trained.checkpoint.state.seed);
  data::LocalRows local;
  comm::together(communicator, "reading the data",
                 [&] { local = local_part(trained, held_out.file.file(), held_out.rows, communicator); });
  Metrics metrics = evaluator.held_out(trained.parameters(), local);
  add_information(trained, held_out, metrics, communicator);
  if (options.samples > 0) add_nll(trained, held_out, options.samples, metrics);
  if (!held_out.file.facts().is_uint8) return metrics;
  const LatentModel& model = latent_model_of(trained, "evaluate");
  metrics.values["bits_per_dimension"] = model.bits_per_dimension(metrics.values.at("elbo"));
  if (options.samples > 0)
    metrics.values["nll_bits_per_dimension"] = model.bits_per_dimension(-metrics.values.at("nll"));
  return metrics;
}

}  // namespace

data::LocalRows local_part(const trainer::TrainedModel& trained,
                           const std::shared_ptr<const data::DataFile>& file,
                           const std::vector<std::int64_t>& rows, const comm::Communicator& communicator) {
  const auto place = [&](std::int64_t rank) {
    return static_cast<std::size_t>(data::place_of(rank, std::ssize(rows), communicator.size()));
  };
  const std::size_t first = place(communicator.rank());
  const std::span mine = std::span(rows).subspan(first, place(communicator.rank() + 1) - first);
  data::LocalRows local = trainer::rows_within_limit(file, mine, trained.settings.data);
  if (file->facts().layout == data::Layout::dense)  // counts: checked when read
    trainer::require_fit(*trained.model, local, file->facts().path);
  return local;
}

std::vector<EvaluatedRows> evaluate_latent(const trainer::TrainedModel& trained, const std::string& data,
                                           const LatentEvaluationOptions& options,
                                           comm::Communicator& communicator) {
  std::vector<HeldOut> all;
  if (data.empty()) {
    all = held_out_of(trained, communicator);
  } else {
    all.push_back(all_rows(trained, "file", data, "--data", communicator));
  }
  std::vector<EvaluatedRows> results;
  for (HeldOut& held_out : all) {
    if (held_out.rows.empty()) continue;
    if (options.rows > 0)
      held_out.rows.resize(static_cast<std::size_t>(std::min(options.rows, std::ssize(held_out.rows))));
    results.push_back({held_out.split, held_out.file.facts().path, std::ssize(held_out.rows),
                       evaluate(trained, held_out, options, communicator)});
  }
  return results;
}

}  // namespace svi::cli
