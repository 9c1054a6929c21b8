#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "svi/comm/communicator.hpp"
#include "svi/data/data_file.hpp"
#include "svi/data/local_rows.hpp"
#include "svi/data/partition.hpp"
#include "svi/data/row_stream.hpp"
#include "svi/data/sampler.hpp"
#include "svi/models/model.hpp"
#include "svi/trainer/settings.hpp"

namespace svi::trainer {

/// What the rows are wanted for: --dry-run wants facts and plan only; an evaluation passes over rows and asks
/// for no minibatch, so that rows which take more than `data.memory_limit` need no windows.
enum class RowUse { none, passes, training };

/// Rows in memory, or left in their file where they take more than `data.memory_limit`.
/// @throws Error (bad_data), see DataFile::read. **Local.**
data::LocalRows rows_within_limit(const std::shared_ptr<const data::DataFile>& file,
                                  std::span<const std::int64_t> rows, const DataOptions& options);

/// This rank's part of the training rows and of the held-out rows, and the sampler over them.
///
/// Rows that take more than `data.memory_limit` stay in their file: minibatches come out of a
/// RowStream, and who passes over all of them reads them again. What is held never changes a minibatch.
///
/// For a model that learns labels the rows whose label is seen and the others are strata where there are
/// both: each is cut into shards and sampled for itself, and each row of a minibatch counts N_h/S_h. Hidden
/// labels are −1. The labelled rows begin anew whenever they are through.
class TrainingData {
 public:
  /// Opens and checks the files and reads this rank's shards. Ranks that see different files, and files that
  /// do not go together, are refused on every rank. **Collective.**
  /// @param counts whether the model needs word counts
  TrainingData(const Settings& settings, bool counts, comm::Communicator& communicator,
               RowUse use = RowUse::training);

  /// This rank's rows of a step. **Local.**
  Minibatch minibatch(std::int64_t step);

  bool counts_words() const { return facts_.layout == data::Layout::counts; }
  std::int64_t steps_per_epoch() const { return sampler_->steps_per_epoch(); }
  std::int64_t rows() const { return training_rows_; }  ///< N: training rows of all ranks
  std::int64_t rows_of(std::int64_t rank) const { return std::ssize(file_rows_of(rank)); }
  std::int64_t labelled_rows() const { return labelled_rows_; }  ///< see DataShape
  /// Rows of the largest global minibatch.
  std::int64_t batch(const TrainOptions& train) const;
  /// Rows of a rank's part of it, where it is shared out evenly.
  std::int64_t local_batch(const TrainOptions& train, std::int64_t ranks) const;
  const data::DataFacts& facts() const { return facts_; }
  DataShape shape() const;

  bool is_streamed() const { return is_streamed_; }
  /// Of this rank's training rows: the bytes held in memory, of streamed ones the most that ever are.
  std::int64_t training_bytes() const { return training_bytes_; }

  const data::LocalRows& training() const { return training_; }
  const data::LocalRows& validation() const { return validation_; }
  const data::LocalRows& test() const { return test_; }
  /// The documents that coherence is judged on: evaluation.coherence_data with the model's word numbers, else
  /// the training rows.
  const data::LocalRows& reference() const { return has_reference_ ? reference_ : training_; }
  std::int64_t validation_rows() const { return validation_rows_; }  ///< of all ranks
  std::int64_t test_rows() const { return test_rows_; }              ///< of all ranks
  std::int64_t empty_rows() const { return empty_rows_; }  ///< of all ranks: documents without words

  /// Names the training and validation data whatever the number of ranks.
  const std::string& digest() const { return digest_; }

 private:
  void make_strata(const data::DataFile& file, std::vector<std::int64_t> rows, const Settings& settings,
                   std::int64_t ranks);
  std::vector<std::int64_t> file_rows_of(std::int64_t rank) const;
  void choose_memory(const data::DataFile& file, const Settings& settings, RowUse use);
  void agree_on_digest(comm::Communicator& communicator, RowUse use);

  data::DataFacts facts_;
  std::uint64_t split_seed_;
  Completion completion_;
  std::int64_t rank_;
  std::unique_ptr<data::Partition> partition_;
  std::unique_ptr<data::WindowedOrder> windows_;  // null: data.shuffle is full
  std::unique_ptr<data::Sampler> sampler_;
  // Where some rows have labels and others don't, the above are of the others and these of the labelled.
  std::unique_ptr<data::Partition> labelled_partition_;
  std::unique_ptr<data::Sampler> labelled_sampler_;
  std::vector<std::int64_t> labelled_;  // file rows whose label is seen, of all ranks
  std::int64_t training_rows_ = 0;
  std::int64_t labelled_rows_ = 0;
  std::int64_t labelled_classes_ = 0;
  bool is_streamed_ = false;
  std::int64_t training_bytes_ = 0;
  data::LocalRows training_;
  std::unique_ptr<data::RowStream> stream_;  // null: the rows are in memory
  data::LocalRows validation_;
  data::LocalRows test_;
  bool has_reference_ = false;
  data::LocalRows reference_;
  std::int64_t validation_rows_ = 0;
  std::int64_t test_rows_ = 0;
  std::int64_t empty_rows_ = 0;
  std::string digest_;
};

}  // namespace svi::trainer
