#include "latent_scores.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "svi/base/error.hpp"
#include "svi/base/units.hpp"
#include "svi/cli/table.hpp"
#include "svi/data/embedding_file.hpp"
#include "svi/data/partition.hpp"
#include "svi/io/atomic_file.hpp"
#include "svi/math/ranking.hpp"

namespace svi::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t rows_told = 10;

bool is_outlier(const Scores& scores, std::size_t row) {
  const auto& labels = scores.outlier_labels;
  return std::find(labels.begin(), labels.end(), scores.labels[row]) != labels.end();
}

Json row_of(const Scores& scores, std::size_t row) {
  Json json{{"row", row}, {"id", scores.ids[row]}, {"score", scores.values[row]}};
  if (!scores.training.empty()) json["training_share"] = scores.training_shares[row];
  if (!scores.labels.empty()) json["label"] = scores.labels[row];
  return json;
}

// Row numbers, the strangest first; of equal ones the first.
std::vector<std::size_t> strangest(const Scores& scores) {
  std::vector<std::size_t> rows(scores.values.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const std::size_t count = std::min<std::size_t>(rows_told, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count), rows.end(),
                    [&](std::size_t a, std::size_t b) {
                      return scores.values[a] != scores.values[b] ? scores.values[a] > scores.values[b]
                                                                  : a < b;
                    });
  rows.resize(count);
  return rows;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Json summary(const Scores& scores, const std::string& output) {
  Json json{{"input", scores.input},
            {"by", scores.measure.by},
            {"rows", scores.values.size()},
            {"mean", mean_of(scores.values)}};
  if (scores.measure.by == "nll") json["samples"] = scores.measure.samples;
  if (!scores.training.empty()) {
    json["training_rows"] = scores.training.size();
    json["training_mean"] = mean_of(scores.training);
    const auto above = [](double share) { return share >= 0.95; };
    json["rows_above_95_percent_of_training"] =
        std::count_if(scores.training_shares.begin(), scores.training_shares.end(), above);
  }
  if (scores.auc) {
    json["outlier_labels"] = scores.outlier_labels;
    json["auc"] = *scores.auc;
  }
  if (!output.empty()) json["output"] = output;
  return json;
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:.6g}", value.get<double>()) : value.dump();
}

// Rows of a table: the names above, if wanted, and the values of each object.
std::string table_of(const std::vector<Json>& rows) {
  std::vector<Column> columns;
  for (const auto& [name, value] : rows.front().items())
    columns.push_back({name, value.is_number() ? Align::right : Align::left});
  std::vector<std::vector<std::string>> cells(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const auto& [name, value] : rows[i].items()) cells[i].push_back(text_of(value));
  }
  return table_text(columns, cells);
}

void write_json_lines(const Scores& scores, const std::string& path) {
  std::string text;
  for (std::size_t row = 0; row < scores.values.size(); ++row) text += row_of(scores, row).dump() + "\n";
  io::write_text(path, text);
}

}  // namespace

void Scores::compare() {
  if (!training.empty()) training_shares = math::share_below(values, training);
  if (outlier_labels.empty()) return;
  std::vector<double> outliers;
  std::vector<double> others;
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (labels[row] < 0) continue;  // not known to be either
    (is_outlier(*this, row) ? outliers : others).push_back(values[row]);
  }
  auc = math::roc_auc(outliers, others);
}

std::vector<double> scores_of(const trainer::TrainedModel& trained, const LatentRows& file,
                              const std::vector<std::int64_t>& rows, const ScoreMeasure& measure) {
  std::vector<double> scores;
  const auto keep = [&](double score) {
    if (!std::isnan(score)) return scores.push_back(-score);
    throw Error(ExitCode::internal, "{}: the {} of row {} is not a number; has the training diverged?",
                file.facts().path, measure.by, rows[scores.size()]);
  };
  if (measure.by == "nll") {
    file.pass(rows, evidence_figures(trained, measure.samples), [&](std::span<const double> some) {
      for (const double evidence : some) keep(evidence);
    });
    return scores;
  }
  const double kl_counts = measure.by == "elbo" ? 1 : 0;
  file.pass(rows, bound_figures(trained), [&](std::span<const double> some) {
    for (std::size_t i = 0; i < some.size(); i += 2) keep(some[i] - kl_counts * some[i + 1]);
  });
  return scores;
}

std::vector<std::int64_t> training_sample(const trainer::TrainedModel& trained, const LatentRows& file,
                                          std::int64_t most) {
  const trainer::DataOptions& data = trained.settings.data;
  return data::spread_evenly(data::split_rows(file.facts().rows, data.validation_fraction,
                                              static_cast<std::uint64_t>(data.split_seed))
                                 .training,
                             most);
}

void require_training_file(const trainer::TrainedModel& trained) {
  const std::string& path = trained.settings.data.train;
  std::error_code problem;
  if (std::filesystem::exists(path, problem)) return;
  throw Error(ExitCode::missing_input,
              "{}, the training data of {}, is not there; scores without a comparison with it come with "
              "--training-rows 0",
              path, trained.path);
}

std::vector<std::int64_t> labels_in(const data::DataFile& file) {
  if (!file.facts().has_labels || file.facts().layout != data::Layout::dense) return {};  // counts have none
  constexpr std::int64_t rows_at_once = 4096;
  std::vector<std::int64_t> labels;
  for (std::int64_t first = 0; first < file.facts().rows; first += rows_at_once) {
    const Rows rows = file.read(first, std::min(file.facts().rows, first + rows_at_once));
    const Tensor& some = std::get<DenseRows>(rows).labels;
    labels.insert(labels.end(), some.const_data_ptr<std::int64_t>(),
                  some.const_data_ptr<std::int64_t>() + some.numel());
  }
  return labels;
}

std::vector<std::int64_t> outlier_labels_of(const std::vector<std::int64_t>& labels,
                                            const std::vector<std::int64_t>& asked, const std::string& path) {
  std::set<std::int64_t> found(labels.begin(), labels.end());
  std::erase_if(found, [](std::int64_t label) { return label < 0; });  // not known
  if (asked.empty()) return found == std::set<std::int64_t>{0, 1} ? std::vector<std::int64_t>{1} : asked;
  if (found.empty()) throw Error(ExitCode::usage, "--labels-outlier: {} has no labels (y)", path);
  for (const std::int64_t label : asked) {
    if (!found.contains(label)) {
      throw Error(ExitCode::usage, "--labels-outlier: no row of {} has the label {}; found {}", path, label,
                  fmt::join(found, ", "));
    }
  }
  const std::set<std::int64_t> outliers(asked.begin(), asked.end());
  if (outliers == found)
    throw Error(ExitCode::usage, "--labels-outlier: every row of {} with a label would be an outlier", path);
  return asked;
}

void require_scores_ending(const std::string& path) {
  io::require_ending(path, {".tsv", ".h5ad", ".h5", ".jsonl"});
}

void write_scores(const Scores& scores, const std::string& path) {
  if (path.ends_with(".jsonl")) return write_json_lines(scores, path);
  std::vector<data::Embedding> embeddings{{"X_score", {"score"}}};
  if (!scores.training.empty()) embeddings.push_back({"X_training_share", {"training_share"}});
  if (!scores.labels.empty()) embeddings.push_back({"X_label", {"label"}});
  const auto file = data::create_embedding_file(path, scores.ids, embeddings);
  std::vector<float> values;
  for (std::size_t row = 0; row < scores.values.size(); ++row) {
    values.push_back(static_cast<float>(scores.values[row]));
    if (!scores.training.empty()) values.push_back(static_cast<float>(scores.training_shares[row]));
    if (!scores.labels.empty()) values.push_back(static_cast<float>(scores.labels[row]));
  }
  file->add(values);
  file->commit();
}

std::string report(const Scores& scores, const std::string& output, bool is_json) {
  Json figures = summary(scores, output);
  std::vector<Json> rows;
  for (const std::size_t row : strangest(scores)) rows.push_back(row_of(scores, row));
  if (is_json) {
    figures["strangest"] = rows;
    return figures.dump() + "\n";
  }
  std::vector<std::vector<std::string>> lines;
  for (const auto& [name, value] : figures.items()) lines.push_back({name, text_of(value)});
  return table_text({{""}, {""}}, lines) + "\n" + table_of(rows);
}

}  // namespace svi::cli
