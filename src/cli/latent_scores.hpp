#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "latent_rows.hpp"

namespace svi::cli {

/// What a row's score is: larger is stranger.
struct ScoreMeasure {
  std::string by;            ///< elbo: −ELBO; reconstruction: −E[ln p(x|z)]; nll: −ln p(x); nats
  std::int64_t samples = 0;  ///< of nll
};

/// Scores of a file's rows, beside those of training rows.
struct Scores {
  ScoreMeasure measure;
  std::string input;
  std::vector<std::string> ids;      ///< [N]
  std::vector<std::int64_t> labels;  ///< [N], or empty
  std::vector<std::int64_t> outlier_labels;
  std::vector<double> values;                ///< [N] nats
  std::vector<double> training;              ///< of training rows; possibly none
  std::vector<double> training_shares = {};  ///< [N] share of training rows that score lower
  /// Area under the ROC curve, outliers being positive; rows whose label is unknown (below 0) are left out.
  std::optional<double> auc = std::nullopt;

  /// Fills `training_shares` and `auc` where there is something to compare with. **Local.**
  void compare();
};

/// The scores of these rows, on rank 0. @throws Error (internal) when one is no number. **Collective.**
std::vector<double> scores_of(const trainer::TrainedModel& trained, const LatentRows& file,
                              const std::vector<std::int64_t>& rows, const ScoreMeasure& measure);

/// At most so many of the rows that the model was trained on, spread evenly over them. **Local.**
std::vector<std::int64_t> training_sample(const trainer::TrainedModel& trained, const LatentRows& file,
                                          std::int64_t most);
/// @throws Error (missing_input) that says how to do without it
void require_training_file(const trainer::TrainedModel& trained);

/// `y` of a file, or none. **Local.**
std::vector<std::int64_t> labels_in(const data::DataFile& file);
/// Those asked for, or 1 where labels are 0 and 1, or none.
/// @throws Error (usage) when the file has no labels, or no row with or no row without these
std::vector<std::int64_t> outlier_labels_of(const std::vector<std::int64_t>& labels,
                                            const std::vector<std::int64_t>& asked, const std::string& path);

/// @throws Error (usage) when `write_scores` would not know the ending
void require_scores_ending(const std::string& path);
/// id, score, training share and label of every row: a table, an AnnData, or JSON lines. **Local.**
void write_scores(const Scores& scores, const std::string& path);
/// What is told of them.
std::string report(const Scores& scores, const std::string& output, bool is_json);

}  // namespace svi::cli
