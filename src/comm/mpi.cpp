#include "svi/comm/mpi.hpp"

#include <mpi.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "checks.hpp"
#include "mpi_channel.hpp"
#include "mpi_operation.hpp"
#include "shared_file.hpp"
#include "svi/base/pages.hpp"

namespace svi::comm {

namespace {

using Clock = std::chrono::steady_clock;

class MpiWork final : public Work {
 public:
  MpiWork(const MpiChannel& channel, std::string_view tag, std::deque<MpiOperation::Step> steps)
      : channel_(channel), operation_(std::make_unique<MpiOperation>(std::string(tag), std::move(steps))) {
    const std::scoped_lock lock(channel_.progress->mutex());
    channel_.progress->add(operation_.get());
  }

  ~MpiWork() override {
    const std::scoped_lock lock(channel_.progress->mutex());
    channel_.progress->remove(operation_.get());
    // MPI may still write into the scratch of one that was given up, and a collective can't be cancelled.
    static auto& given_up = *new std::vector<std::unique_ptr<MpiOperation>>;
    if (!operation_->complete()) given_up.push_back(std::move(operation_));
  }

  bool test() override {
    const std::scoped_lock lock(channel_.progress->mutex());
    channel_.progress->advance_all();
    operation_->require_no_failure();
    return operation_->complete();
  }

  void wait() override {
    // The first tests follow one another at once: small operations are complete within microseconds.
    for (int attempt = 0; attempt < 100; ++attempt) {
      if (test()) return;
    }
    const auto deadline = Clock::now() + channel_.options.timeout;
    while (!test()) {
      if (Clock::now() > deadline) throw_timeout();
      std::this_thread::yield();
    }
  }

 private:
  [[noreturn]] void throw_timeout() const {
    throw Error(
        ExitCode::communication,
        "{}: rank {} of {} waited {} seconds in vain: another rank is dead, stuck or slower than that; "
        "see the other ranks' messages, or raise communication.timeout_seconds",
        operation_->tag(), channel_.rank, channel_.size, channel_.options.timeout.count());
  }

  MpiChannel channel_;  // a copy: work may outlive the communicator's object
  std::unique_ptr<MpiOperation> operation_;
};

class MpiCounter final : public Counter {
 public:
  MpiCounter(const MpiChannel& channel, std::string_view tag) : channel_(channel), tag_(tag) {
    wait_for(barrier_steps(channel_));  // which has a deadline, unlike MPI_Win_allocate and MPI_Win_free
    {
      const std::scoped_lock lock(channel_.progress->mutex());
      std::int64_t* value = nullptr;
      const MPI_Aint bytes = channel_.rank == 0 ? sizeof *value : 0;
      check_mpi(
          MPI_Win_allocate(bytes, sizeof *value, MPI_INFO_NULL, channel_.communicator, &value, &window_),
          "MPI_Win_allocate");
      check_mpi(MPI_Win_set_errhandler(window_, MPI_ERRORS_RETURN), "MPI_Win_set_errhandler");
      check_mpi(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_), "MPI_Win_lock_all");
      if (channel_.rank == 0) *value = 0;
      check_mpi(MPI_Win_sync(window_), "MPI_Win_sync");
    }
    wait_for(barrier_steps(channel_));  // nobody adds before it is 0
  }

  std::int64_t add(std::int64_t amount) override {
    struct Numbers {
      std::int64_t amount;
      std::int64_t before;
    };
    const auto numbers = std::make_shared<Numbers>(amount, 0);  // MPI has them if the wait is given up
    const auto begin = [numbers, window = window_](MpiOperation::Requests& requests) {
      requests.emplace_back();
      check_mpi(MPI_Rget_accumulate(&numbers->amount, 1, MPI_INT64_T, &numbers->before, 1, MPI_INT64_T, 0, 0,
                                    1, MPI_INT64_T, MPI_SUM, window, &requests.back()),
                "MPI_Rget_accumulate");
    };
    // A step is gone once it has begun, but the next one is not.
    const auto keep = [numbers](MpiOperation::Requests&) {};
    wait_for({begin, keep});
    return numbers->before;
  }

  void close() override {
    wait_for(barrier_steps(channel_));
    const std::scoped_lock lock(channel_.progress->mutex());
    check_mpi(MPI_Win_unlock_all(window_), "MPI_Win_unlock_all");
    check_mpi(MPI_Win_free(&window_), "MPI_Win_free");
  }

 private:
  void wait_for(std::deque<MpiOperation::Step> steps) { MpiWork(channel_, tag_, std::move(steps)).wait(); }

  MpiChannel channel_;
  std::string tag_;
  MPI_Win window_ = MPI_WIN_NULL;
};

std::atomic<int> abort_code{0};

void exit_with_abort_code(int) { std::_Exit(abort_code); }

bool mpi_is_over() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  return finalized != 0;
}

}  // namespace

struct Mpi::State {
  MpiChannel channel;
  int rank_in_node = 0;
  int ranks_in_node = 1;
  bool closed = false;

  void require_open(std::string_view tag) const {
    if (closed) throw Error(ExitCode::internal, "{}: the communicator is closed", tag);
  }

  std::unique_ptr<Work> begin(std::string_view tag, std::deque<MpiOperation::Step> steps) {
    require_open(tag);
    return std::make_unique<MpiWork>(channel, tag, std::move(steps));
  }
};

Mpi::Mpi(MpiOptions options) : state_(std::make_unique<State>()) {
  state_->channel = open_channel(options, std::make_shared<MpiProgress>());
  const NodeRank in_node = rank_in_node_of(state_->channel);
  state_->rank_in_node = in_node.rank;
  state_->ranks_in_node = in_node.size;
  auto control = std::make_unique<State>(*state_);
  control->channel = open_channel(options, state_->channel.progress);
  control_ = std::unique_ptr<Mpi>(new Mpi(std::move(control)));
}

Mpi::Mpi(std::unique_ptr<State> state) : state_(std::move(state)) {}

Mpi::~Mpi() {
  if (state_->closed || !control_ || mpi_is_over() || std::uncaught_exceptions() > 0) return;
  std::fprintf(stderr, "svi: rank %d leaves its MPI communicator unclosed: close() was not called\n", rank());
}

int Mpi::rank() const { return state_->channel.rank; }
int Mpi::size() const { return state_->channel.size; }
int Mpi::rank_in_node() const { return state_->rank_in_node; }

std::unique_ptr<Work> Mpi::all_reduce(Buffer values, ReduceOperation operation, std::string_view tag) {
  require_host(values, name(), tag);
  return state_->begin(tag, all_reduce_steps(state_->channel, values, operation));
}

std::unique_ptr<Work> Mpi::broadcast(Buffer values, int root, std::string_view tag) {
  require_host(values, name(), tag);
  require_root(root, size(), tag);
  return state_->begin(tag, broadcast_steps(state_->channel, values, root));
}

std::unique_ptr<Work> Mpi::all_gather(Buffer mine, Buffer all, std::string_view tag) {
  require_host(mine, name(), tag);
  require_host(all, name(), tag);
  require_gatherable(mine, all, size(), tag);
  return state_->begin(tag, all_gather_steps(state_->channel, mine, all));
}

std::unique_ptr<Work> Mpi::barrier(std::string_view tag) {
  return state_->begin(tag, barrier_steps(state_->channel));
}

std::unique_ptr<Counter> Mpi::counter(std::string_view tag) {
  state_->require_open(tag);
  return std::make_unique<MpiCounter>(state_->channel, tag);
}

std::shared_ptr<void> Mpi::shared_memory(std::int64_t bytes, std::string_view tag) {
  state_->require_open(tag);
  if (size() == 1) return zeroed_pages(static_cast<std::size_t>(bytes));
  if (state_->ranks_in_node < size()) return nullptr;
  return memory_in_common(*this, bytes, tag);
}

void Mpi::close() {
  if (state_->closed) return;
  // MPI_Comm_free would wait for a dead rank for ever; a barrier has a deadline.
  barrier("close")->wait();
  if (control_) control_->close();
  const std::scoped_lock lock(state_->channel.progress->mutex());
  state_->closed = true;
  check_mpi(MPI_Comm_free(&state_->channel.communicator), "MPI_Comm_free");
}

void Mpi::abort(ExitCode code) noexcept {
  int none = 0;
  if (!abort_code.compare_exchange_strong(none, static_cast<int>(code))) {
    while (true) ::pause();  // another thread is at it already
  }
  std::fflush(nullptr);
  if (mpi_is_over()) std::_Exit(static_cast<int>(code));
  std::signal(SIGALRM, exit_with_abort_code);
  ::alarm(10);
  MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
  std::_Exit(static_cast<int>(code));
}

}  // namespace svi::comm
