#pragma once

#include <cstdint>
#include <string>

#include "svi/comm/communicator.hpp"
#include "svi/data/local_rows.hpp"
#include "svi/models/model.hpp"

namespace svi::trainer {

/// No training step ever has this number, so that what is done with a trained model has noise of its own.
inline constexpr std::int64_t evaluation_step = std::int64_t{1} << 62;

/// @throws Error (bad_data) naming `where`, row and value when rows cannot come from the model. **Local.**
void require_fit(const Model& model, const data::LocalRows& rows, const std::string& where);

/// Held-out figures of a model, each rank passing over its own rows.
class Evaluator {
 public:
  Evaluator(Model& model, comm::Communicator& communicator, std::uint64_t seed)
      : model_(model), communicator_(communicator), seed_(seed) {}

  /// The figures of the held-out rows, and where a model asks for it those of a pass over reference rows
  /// (see TrainingData::reference).
  /// Its noise is the same at every evaluation and for any number of ranks. **Collective.**
  Metrics evaluate(const ParameterSet& parameters, const data::LocalRows& held_out,
                   const data::LocalRows& reference);
  /// Those of the held-out rows alone. **Collective.**
  Metrics held_out(const ParameterSet& parameters, const data::LocalRows& rows);

 private:
  void pass(Evaluation& evaluation, const data::LocalRows& rows, Metrics& metrics);

  Model& model_;
  comm::Communicator& communicator_;
  std::uint64_t seed_;
};

}  // namespace svi::trainer
