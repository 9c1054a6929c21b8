#pragma once

#include <mpi.h>

#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace svi::comm {

/// @throws Error (communication) with MPI's own description unless `code` is MPI_SUCCESS
void check_mpi(int code, std::string_view call);

/// What is under way for one call of a Communicator: steps, each of which posts the messages it needs; the
/// next step runs when they are all complete. Every function needs the lock of MpiProgress.
class MpiOperation {
 public:
  using Requests = std::vector<MPI_Request>;
  using Step = std::function<void(Requests&)>;

  MpiOperation(std::string tag, std::deque<Step> steps);

  const std::string& tag() const { return tag_; }
  /// Goes as far as possible without waiting; true when there is nothing left to do. A failure is kept.
  bool advance() noexcept;
  bool complete() const { return complete_; }
  /// @throws Error (communication) what made it fail, named by the tag
  void require_no_failure() const;

 private:
  bool requests_complete();

  std::string tag_;
  std::deque<Step> steps_;
  Requests requests_;
  bool complete_ = false;
  std::exception_ptr failure_;
};

/// All operations of the process that are under way.
///
/// Whoever waits for one of them drives them all: otherwise rank 0 waiting for A and rank 1 waiting for B
/// would each keep the other from the step it waits for.
class MpiProgress {
 public:
  /// Every MPI call of the process is made under this lock, so MPI_THREAD_SERIALIZED suffices.
  std::mutex& mutex() { return mutex_; }

  void add(MpiOperation* operation);
  void remove(const MpiOperation* operation);
  void advance_all();

 private:
  std::mutex mutex_;
  std::vector<MpiOperation*> active_;  // in the order in which they began
};

}  // namespace svi::comm
