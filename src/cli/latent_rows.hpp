#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "svi/comm/communicator.hpp"
#include "svi/data/data_file.hpp"
#include "svi/models/latent_model.hpp"
#include "svi/trainer/trained_model.hpp"

namespace svi::cli {

/// @param command what needs it, for the message @throws Error (usage) when the model has no latent vector
LatentModel& latent_model_of(const trainer::TrainedModel& trained, const char* command);

/// A file's rows 0 … count − 1.
std::vector<std::int64_t> first_rows(std::int64_t count);

/// The numbers that a model finds for each row, [b, width] float64 of b rows, which come without labels.
struct RowFigures {
  const char* name = "";          ///< in messages
  std::int64_t width = 1;         ///< numbers a row
  std::int64_t rows_at_once = 0;  ///< b, but of the last rows
  std::function<Tensor(const Minibatch&)> of_rows;
  bool is_slow = false;  ///< kept in memory, all of them, so that no rank waits for another before the end
};

/// Whether it is seen as rows pass that one cannot come from the model, or the caller has seen to it.
enum class RowCheck { in_passing, before };

/// Rows of a file before a trained model, shared among ranks.
///
/// Rows are cut into blocks of `rows_at_once` whatever the number of ranks, so that each row meets the same
/// rows in matrix products and every figure has the same bits. Rank 0 gets them all in order: in rounds, each
/// rank a block, or, of slow figures, when all are there, each rank having taken the next block when it was
/// done with its last. Noise is that of evaluations: keyed by the run's seed, `trainer::evaluation_step`
/// and the row's number in its file.
class LatentRows {
 public:
  using Take = std::function<void(std::span<const double>)>;

  /// Opens the file, which must be like the training data. **Collective.**
  /// @param trained, communicator must outlive it @param key where the file was named, for messages
  /// @throws Error (missing_input), (bad_data)
  LatentRows(const trainer::TrainedModel& trained, const std::string& path, const char* key,
             comm::Communicator& communicator, RowCheck check = RowCheck::in_passing);

  const std::shared_ptr<const data::DataFile>& file() const { return file_; }
  const data::DataFacts& facts() const { return file_->facts(); }

  /// @param rows ascending @param take called on rank 0 with the figures of some rows, in the order of `rows`
  /// @throws Error (bad_data) when a row cannot come from the model, see RowCheck. **Collective.**
  void pass(std::span<const std::int64_t> rows, const RowFigures& figures, const Take& take) const;
  /// The figures of all rows, on rank 0; elsewhere none. **Collective.**
  std::vector<double> figures(std::span<const std::int64_t> rows, const RowFigures& figures) const;

 private:
  void pass_in_rounds(std::span<const std::int64_t> rows, const RowFigures& figures, const Take& take) const;
  void pass_in_turns(std::span<const std::int64_t> rows, const RowFigures& figures, const Take& take) const;
  void require_fit(const Minibatch& rows) const;
  Tensor of_block(std::span<const std::int64_t> rows, const RowFigures& figures) const;

  const trainer::TrainedModel& trained_;
  comm::Communicator& communicator_;
  RowCheck check_;
  std::shared_ptr<const data::DataFile> file_;
};

// The figures that `encode`, `evaluate` and `score` ask for; the model must outlive them.

/// μ, σ and `samples` draws of z: [b, (2 + samples)·Z].
RowFigures posterior_figures(const trainer::TrainedModel& trained, std::int64_t samples);
/// Reconstruction and KL: [b, 2].
RowFigures bound_figures(const trainer::TrainedModel& trained);
/// ln p(x) by `samples` importance samples: [b, 1].
RowFigures evidence_figures(const trainer::TrainedModel& trained, std::int64_t samples);

}  // namespace svi::cli
