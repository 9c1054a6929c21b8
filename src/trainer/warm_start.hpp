#pragma once

#include <string>

#include "svi/data/data_file.hpp"
#include "svi/optim/update_rule.hpp"
#include "svi/trainer/settings.hpp"
#include "svi/trainer/trained_model.hpp"

namespace svi::trainer {

/// @throws Error (bad_config) when `source` is of another model.type, has parameters of other names or shapes
/// than `model` (but for learned priors and the number of words), or would be forgotten at the first step.
/// **Local.**
void require_fit_to_start_from(TrainedModel& source, Settings& settings, const Model& model,
                               const UpdateRule& rule);

/// Gives a new run the parameters of a trained model in place of its first ones.
///
/// Rows of a lazy matrix are those of words. They are matched by name: a word of the new data alone gets what
/// the matrix holds for a word never seen, a word of the old data alone leaves with its counts. Where all
/// words are the same the parameters are the source's to the bit. A learned prior that one of the models
/// lacks stays as it is, or is left.
/// @param parameters those of the new run, changed
/// @return what was done, for the log
/// @throws Error (bad_data) when words cannot be matched or none is shared. **Local.**
std::string take_parameters(const TrainedModel& source, const data::DataFacts& data,
                            ParameterSet& parameters);

/// A run keeps its words.
/// @param had, @param has vocabularies of the run in `run_directory` and of the data at `path`
/// @throws Error (bad_config) when they differ, naming what changed and that a new run may start from this
/// one. **Local.**
void require_same_words(const std::vector<std::string>& had, const std::vector<std::string>& has,
                        const std::string& run_directory, const std::string& path);

}  // namespace svi::trainer
