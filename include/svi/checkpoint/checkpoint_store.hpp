#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "svi/core/training_state.hpp"
#include "svi/core/word_prior.hpp"

namespace svi::checkpoint {

/// What a checkpoint says besides the training state.
struct CheckpointFacts {
  std::string model;  ///< the registry's name: "lda", "vae"
  std::string tool_version;
  std::string config_yaml;  ///< the resolved configuration
  std::string data_sha256;
  std::int64_t training_rows = 0;  ///< N
  std::int64_t ranks_at_save = 1;
  double epoch = 0;
  std::map<std::string, double> metrics;    ///< of the last evaluation
  std::vector<std::int64_t> feature_shape;  ///< of one data point: [28, 28], [V]
  std::vector<std::string> vocabulary;      ///< [V]; empty for dense data
  std::vector<WordPrior> word_priors;       ///< see DataShape; of most runs none
};

struct Checkpoint {
  CheckpointFacts facts;
  TrainingState state;
};

/// The digest of names, shapes, types and bytes of parameters and optimizer state alone, as hexadecimal
/// digits: equal for runs that agree, whatever else differs. Padding does not count. **Local.**
std::string parameters_hash(const TrainingState& state);

/// Writes one checkpoint (HDF5, schema 1; docs/checkpoint.md) to `path`, atomically.
///
/// A 512-byte user block holds the SHA-256 of all that follows; every data set carries Fletcher32.
/// @throws Error (cannot_write); an older file of that name is then untouched. **Local.**
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// Reads and verifies a checkpoint: the digest first, before HDF5 parses anything; then format, schema,
/// allowed names, types, ranks and sizes before anything is allocated.
/// @throws Error (missing_input, bad_data) **Local.**
Checkpoint read_checkpoint(const std::string& path);

/// The checkpoints of one run: `step-<12 digits>.h5` and `best.h5` in a folder. **Local**, for rank 0.
class CheckpointStore {
 public:
  /// @param keep_last how many numbered ones remain after a save, ≥ 1
  /// @throws Error (cannot_write) when the folder can't be made
  CheckpointStore(std::string folder, std::int64_t keep_last);

  /// Saves, then prunes; returns the path. Temporary files of killed writers are removed first.
  /// @throws Error (cannot_write); the earlier checkpoints are then untouched
  std::string save(const Checkpoint& checkpoint);
  /// Replaces `best.h5`.
  std::string save_best(const Checkpoint& checkpoint);

  /// The newest that verifies, `best.h5` where no numbered one does, none when there are none.
  /// @param rejected called with path and reason of each newer one that does not
  /// @throws Error (bad_data) when there are some but none verifies: never silently from zero
  std::optional<Checkpoint> newest(
      const std::function<void(const std::string& path, const std::string& reason)>& rejected) const;

  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::int64_t keep_last_;
};

}  // namespace svi::checkpoint
