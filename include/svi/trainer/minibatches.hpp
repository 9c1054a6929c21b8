#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "svi/comm/communicator.hpp"
#include "svi/core/word_set.hpp"
#include "svi/trainer/training_data.hpp"

namespace svi::trainer {

/// This rank's parts of the steps' minibatches, the next one gathered while the ranks' sums of the one before
/// are on their way.
///
/// For a lazy matrix word counts come with the words of the global minibatch, which the ranks unite from bit
/// fields of V bits: only those words' statistics are exchanged.
class Minibatches {
 public:
  /// @param always words that count as occurring in every minibatch, see Model::rows_of_every_step
  /// @param unites_words whether the model asks for the words that occur: it has a lazy matrix of their rows
  Minibatches(TrainingData& data, comm::Communicator& communicator, std::vector<std::int32_t> always,
              bool unites_words);

  /// Gathers a step's rows and starts to unite the words. **Collective.**
  void prepare(std::int64_t step);
  /// The prepared minibatch, or that of any other step. **Collective.**
  Minibatch take(std::int64_t step);
  /// Waits for what is under way, if anything. **Collective.**
  void finish();

 private:
  TrainingData& data_;
  comm::Communicator& communicator_;
  std::vector<std::int32_t> always_;
  bool unites_words_;
  WordSet words_;
  Minibatch next_{.step = -1};
  std::unique_ptr<comm::Work> uniting_;
};

}  // namespace svi::trainer
