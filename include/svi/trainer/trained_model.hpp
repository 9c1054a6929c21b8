#pragma once

#include <memory>
#include <string>
#include <vector>

#include "svi/checkpoint/checkpoint_store.hpp"
#include "svi/models/model.hpp"
#include "svi/optim/update_rule.hpp"
#include "svi/trainer/settings.hpp"

namespace svi::trainer {

/// A checkpoint with the settings and the model it was trained with.
struct TrainedModel {
  std::string path;                   ///< of the file
  std::vector<std::string> rejected;  ///< "FILE: reason" of those that were passed over
  checkpoint::Checkpoint checkpoint;
  Settings settings;
  std::unique_ptr<Model> model;

  /// Those that the run's evaluations read: the moving average where the run kept one.
  const ParameterSet& parameters() const { return evaluated_parameters(checkpoint.state); }
};

/// Reads a checkpoint and rebuilds its model.
///
/// Of a run directory it takes `checkpoints/best.h5` or, where that is missing or damaged, the newest
/// numbered one that verifies.
/// @throws Error (missing_input) when there is none, (bad_data) when none verifies. **Local.**
TrainedModel load_model(const std::string& path);

}  // namespace svi::trainer
