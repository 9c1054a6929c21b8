#pragma once

#include "svi/comm/communicator.hpp"
#include "svi/core/training_state.hpp"
#include "svi/models/model.hpp"

namespace svi::trainer {

/// Gives all ranks rank 0's training state, which may come from a checkpoint. Seed, names and shapes are the
/// same on all of them before. **Collective.**
void share_state(const Model& model, comm::Communicator& communicator, TrainingState& state);

}  // namespace svi::trainer
