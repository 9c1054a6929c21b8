#include "mpi_operation.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "svi/base/error.hpp"

namespace svi::comm {

void check_mpi(int code, std::string_view call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw Error(ExitCode::communication, "{} failed: {}", call,
              std::string_view(text.data(), static_cast<std::size_t>(length)));
}

MpiOperation::MpiOperation(std::string tag, std::deque<Step> steps)
    : tag_(std::move(tag)), steps_(std::move(steps)) {}

bool MpiOperation::requests_complete() {
  int complete = 0;
  std::vector<MPI_Status> statuses(requests_.size());
  const int code =
      MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &complete, statuses.data());
  if (code == MPI_ERR_IN_STATUS) {
    for (const MPI_Status& status : statuses) {
      if (status.MPI_ERROR != MPI_ERR_PENDING) check_mpi(status.MPI_ERROR, "MPI_Testall");
    }
  }
  check_mpi(code, "MPI_Testall");
  return complete != 0;
}

bool MpiOperation::advance() noexcept {
  try {
    while (!complete_ && !failure_ && requests_complete()) {
      requests_.clear();
      complete_ = steps_.empty();
      if (complete_) break;
      const Step step = std::move(steps_.front());
      steps_.pop_front();
      step(requests_);
    }
  } catch (const std::exception& error) {
    failure_ = std::make_exception_ptr(Error(ExitCode::communication, "{}: {}", tag_, error.what()));
  }
  return complete_ || failure_;
}

void MpiOperation::require_no_failure() const {
  if (failure_) std::rethrow_exception(failure_);
}

void MpiProgress::add(MpiOperation* operation) {
  if (!operation->advance()) active_.push_back(operation);
}

void MpiProgress::remove(const MpiOperation* operation) { std::erase(active_, operation); }

void MpiProgress::advance_all() {
  std::erase_if(active_, [](MpiOperation* operation) { return operation->advance(); });
}

}  // namespace svi::comm
