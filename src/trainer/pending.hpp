#pragma once

#include <cstdint>
#include <vector>

#include "svi/core/contribution.hpp"
#include "svi/core/training_state.hpp"
#include "svi/models/model.hpp"

namespace svi::trainer {

// The totals of the next minibatch in a TrainingState, as checkpoints hold them: of a run with
// communication.staleness 1, whose next step is a function of the parameters one step ago. The statistics are tensors
// in the layout of the parameters, beside the update rule's; zero rows of a lazy matrix are those of words that do
// not occur.

/// Makes room for them: nothing is pending. **Local.**
void prepare_pending(const Model& model, TrainingState& state);
/// The names and lengths of their terms; empty when there is no room.
SumLayout pending_terms(const Model& model, const TrainingState& state);
/// Keeps totals from before `to_direction`. **Local.**
void keep_pending(const Contribution& totals, TrainingState& state);
/// Whether any were kept; then `totals` holds them to the bit. **Local.**
/// @param always as of Minibatches
bool take_pending(const TrainingState& state, const std::vector<std::int32_t>& always, Contribution& totals);

}  // namespace svi::trainer
