#include "svi/trainer/minibatches.hpp"

#include <utility>

namespace svi::trainer {

Minibatches::Minibatches(TrainingData& data, comm::Communicator& communicator,
                         std::vector<std::int32_t> always, bool unites_words)
    : data_(data),
      communicator_(communicator),
      always_(std::move(always)),
      unites_words_(unites_words),
      words_(unites_words ? data.shape().width() : 0) {}

void Minibatches::prepare(std::int64_t step) {
  finish();
  next_ = data_.minibatch(step);
  if (!unites_words_) return;
  words_.clear();
  words_.add(std::get<CountRows>(next_.rows));
  words_.add(always_);
  uniting_ = communicator_.control().all_reduce(comm::buffer_of(words_.bits()),
                                                comm::ReduceOperation::bitwise_or, "words of a minibatch");
}

Minibatch Minibatches::take(std::int64_t step) {
  if (next_.step != step) prepare(step);
  finish();
  next_.occurring = words_.words();
  return std::exchange(next_, {.step = -1});
}

void Minibatches::finish() {
  if (uniting_) uniting_->wait();
  uniting_.reset();
}

}  // namespace svi::trainer
