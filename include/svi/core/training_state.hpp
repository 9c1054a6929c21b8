#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "svi/core/parameter_set.hpp"

namespace svi {

/// Everything that determines the rest of a run, and nothing else that does.
///
/// A checkpoint is this value written out; a run resumed from it is the run that was never stopped.
struct TrainingState {
  std::int64_t step = 0;   ///< completed, skipped ones among them
  std::uint64_t seed = 0;  ///< names the run's noise
  ParameterSet parameters;
  /// The update rule's tensors by name ("first_moment", …), each of the parameters' layout.
  std::map<std::string, ParameterSet> optimizer;
  /// Means per data point of the previous step's reduced terms, each of the term's length, for objectives
  /// that are nonlinear in them.
  std::map<std::string, std::vector<double>> previous_means;
  /// With communication.staleness 1: the reduced terms of the next step's minibatch, whose statistics are the
  /// optimizer's "pending". Zero rows: there are none yet.
  std::map<std::string, std::vector<double>> pending_terms;
  std::int64_t skipped_steps = 0;  ///< of all steps those without an update, see train.nonfinite_steps
  /// What the model adds up from step to step to notice what goes wrong, see Model::watch.
  std::map<std::string, std::vector<double>> watched;

  std::int64_t updates() const { return step - skipped_steps; }  ///< made by the update rule

  // Carried along, without influence on the parameters.
  double training_seconds = 0;  ///< across resumes, without evaluations and checkpoints
  double best_value = -std::numeric_limits<double>::infinity();  ///< of the validation's selection metric
  std::int64_t best_step = -1;                                   ///< −1: none yet
};

}  // namespace svi
