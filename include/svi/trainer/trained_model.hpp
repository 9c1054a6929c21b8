#pragma once

#include <memory>
#include <string>

#include "svi/checkpoint/checkpoint_store.hpp"
#include "svi/models/model.hpp"
#include "svi/trainer/settings.hpp"

namespace svi::trainer {

/// A checkpoint with the settings and the model it was trained with.
struct TrainedModel {
  std::string path;  ///< of the file
  checkpoint::Checkpoint checkpoint;
  Settings settings;
  std::unique_ptr<Model> model;

  const ParameterSet& parameters() const { return checkpoint.state.parameters; }
};

/// The checkpoint file a person means: the file itself, or of a run directory `checkpoints/best.h5` and, where
/// there is none, the newest that verifies.
/// @throws Error (missing_input) when there is none. **Local.**
std::string find_checkpoint(const std::string& path);

/// Reads a checkpoint and rebuilds its model. @throws Error (missing_input, bad_data) **Local.**
TrainedModel load_model(const std::string& path);

}  // namespace svi::trainer
