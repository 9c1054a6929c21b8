#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "latent_rows.hpp"
#include "svi/data/local_rows.hpp"

namespace svi::cli {

/// The held-out figures of some rows.
struct EvaluatedRows {
  std::string split;  ///< "validation", "test"; "file" where one was named
  std::string path;
  std::int64_t rows = 0;  ///< 0: not counted
  Metrics metrics;
};

struct LatentEvaluationOptions {
  std::int64_t samples = 0;  ///< L of −ln p(x); 0: without it
  std::int64_t rows = 0;     ///< only the first so many; 0: all
};

/// This rank's part of rows of a file, in memory unless they take more than the run's `data.memory_limit`.
/// @throws Error (bad_data) naming the row when one cannot come from the model. **Local.**
data::LocalRows local_part(const trainer::TrainedModel& trained,
                           const std::shared_ptr<const data::DataFile>& file,
                           const std::vector<std::int64_t>& rows, const comm::Communicator& communicator);

/// A latent model's figures of the run's validation rows and test file, or of the one file `data`: those of
/// every evaluation, and I(x; z), bits for a feature where features are bytes, and −ln p(x). **Collective.**
std::vector<EvaluatedRows> evaluate_latent(const trainer::TrainedModel& trained, const std::string& data,
                                           const LatentEvaluationOptions& options,
                                           comm::Communicator& communicator);

}  // namespace svi::cli
