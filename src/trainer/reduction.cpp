#include "svi/trainer/reduction.hpp"

#include <ATen/ATen.h>

#include <utility>

#include "svi/base/error.hpp"
#include "svi/base/stopwatch.hpp"

namespace svi::trainer {

comm::Buffer buffer_of(const Tensor& flat, std::int64_t first, std::int64_t last) {
  const bool is_double = flat.scalar_type() == at::kDouble;
  auto* bytes = static_cast<std::byte*>(flat.data_ptr()) + first * flat.element_size();
  return {bytes, last - first, is_double ? comm::DataType::float64 : comm::DataType::float32,
          flat.device().is_cpu() ? comm::MemorySpace::host : comm::MemorySpace::cuda};
}

void Reduction::begin(Contribution& contribution) {
  contribution_ = &contribution;
  announced_ = 0;
  contribution.on_ready = [this](std::int64_t first, std::int64_t last) {
    announced_ += last - first;
    start(contribution_->statistics.flat(), first, last);
  };
}

void Reduction::start(const Tensor& flat, std::int64_t first, std::int64_t last) {
  if (first == last) return;
  const Stopwatch stopwatch;
  under_way_.push_back(
      communicator_.all_reduce(buffer_of(flat, first, last), comm::ReduceOperation::sum, "contribution"));
  seconds_ += stopwatch.seconds();
}

void Reduction::start_rest() {
  const Tensor& statistics = contribution_->statistics.flat();
  if (announced_ == 0) start(statistics, 0, statistics.numel());
  if (announced_ != 0 && announced_ != statistics.numel()) {
    throw Error(ExitCode::internal, "the model announced {} of {} elements; it must announce all or none",
                announced_, statistics.numel());
  }
  if (contribution_->rows.size() > 0 && contribution_->shared_work() == nullptr)
    start(contribution_->rows.values, 0, contribution_->rows.values.numel());
  const Stopwatch stopwatch;
  under_way_.push_back(communicator_.control().all_reduce(comm::buffer_of(contribution_->terms.flat()),
                                                          comm::ReduceOperation::sum, "terms"));
  contribution_->on_ready = nullptr;
  seconds_ += stopwatch.seconds();
}

void Reduction::finish() {
  const Stopwatch stopwatch;
  for (const auto& work : under_way_) work->wait();
  under_way_.clear();
  seconds_ += stopwatch.seconds();
  if (contribution_ != nullptr) contribution_->unite_rows();
  contribution_ = nullptr;
}

double Reduction::take_seconds() { return std::exchange(seconds_, 0.0); }

}  // namespace svi::trainer
