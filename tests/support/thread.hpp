#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "svi/base/pages.hpp"
#include "svi/comm/communicator.hpp"

namespace svi::comm {

/// What the ranks of one Thread group share: the operations that not all ranks have joined yet.
class ThreadBoard {
 public:
  enum class Kind { all_reduce, broadcast, all_gather, barrier };

  /// What one rank brings to an operation.
  struct Entry {
    Kind kind;
    Buffer mine;
    Buffer all;
    int root = 0;
    ReduceOperation operation = ReduceOperation::sum;
    std::string tag;

    bool fits(const Entry& other) const {
      return kind == other.kind && mine.count == other.mine.count && mine.type == other.mine.type &&
             root == other.root && operation == other.operation && tag == other.tag;
    }
  };

  struct Slot {
    std::map<int, Entry> entries;  // by rank
    bool done = false;
    std::string error;
  };

  ThreadBoard(int size, std::chrono::duration<double> timeout)
      : size_(size), timeout_(timeout), begun_(static_cast<std::size_t>(size)) {}

  int size() const { return size_; }

  /// The last rank to join does the work, since then every rank's buffer is there and none has gone on.
  std::shared_ptr<Slot> join(int rank, Entry entry) {
    const std::scoped_lock lock(mutex_);
    const std::int64_t number = begun_[static_cast<std::size_t>(rank)]++;
    std::shared_ptr<Slot>& place = slots_[number];
    if (!place) place = std::make_shared<Slot>();
    const std::shared_ptr<Slot> slot = place;
    if (!slot->entries.empty() && !slot->entries.begin()->second.fits(entry)) {
      slot->error =
          "ranks called different operations: " + slot->entries.begin()->second.tag + ", " + entry.tag;
    }
    slot->entries.emplace(rank, std::move(entry));
    if (slot->entries.size() == static_cast<std::size_t>(size_)) {
      if (slot->error.empty()) perform(slot->entries);
      slot->done = true;
      slots_.erase(number);
      changed_.notify_all();
    }
    return slot;
  }

  bool is_done(const Slot& slot) {
    const std::scoped_lock lock(mutex_);
    require_no_error(slot);
    return slot.done;
  }

  void wait(const Slot& slot, const std::string& tag) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout_, [&] { return slot.done || failed_; });
    require_no_error(slot);
    if (!slot.done) throw Error(ExitCode::communication, "{}: another rank failed or never joined", tag);
  }

  /// Wakes all who wait for a rank that will never come.
  void fail() {
    const std::scoped_lock lock(mutex_);
    failed_ = true;
    changed_.notify_all();
  }

 private:
  static void require_no_error(const Slot& slot) {
    if (!slot.error.empty()) throw Error(ExitCode::communication, "{}", slot.error);
  }

  static void copy(const Buffer& to, std::int64_t offset, const void* from, std::int64_t bytes) {
    if (bytes > 0) std::memmove(static_cast<char*>(to.data) + offset, from, static_cast<std::size_t>(bytes));
  }

  static void perform(const std::map<int, Entry>& entries) {
    const Entry& first = entries.begin()->second;
    const std::int64_t bytes = first.mine.bytes();
    if (first.kind == Kind::all_reduce) {
      std::vector<std::byte> sum(static_cast<std::size_t>(bytes));
      Buffer total = first.mine;
      total.data = sum.data();
      copy(total, 0, first.mine.data, bytes);
      for (auto next = std::next(entries.begin()); next != entries.end(); ++next) {
        accumulate(total, next->second.mine.data, first.operation);
      }
      for (const auto& [rank, entry] : entries) copy(entry.mine, 0, total.data, bytes);
    } else if (first.kind == Kind::broadcast) {
      for (const auto& [rank, entry] : entries) copy(entry.mine, 0, entries.at(first.root).mine.data, bytes);
    } else if (first.kind == Kind::all_gather) {
      for (const auto& [rank, to] : entries) {
        for (const auto& [source, from] : entries) copy(to.all, source * bytes, from.mine.data, bytes);
      }
    }
  }

  int size_;
  std::chrono::duration<double> timeout_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::int64_t> begun_;  // operations by rank
  std::map<std::int64_t, std::shared_ptr<Slot>> slots_;
  bool failed_ = false;
};

/// A rank that is a thread of this process. Strict: ranks that call different operations get an error.
class Thread final : public Communicator {
 public:
  Thread(int rank, std::shared_ptr<ThreadBoard> data, std::shared_ptr<ThreadBoard> control)
      : rank_(rank), board_(std::move(data)) {
    if (control) control_ = std::make_unique<Thread>(rank, std::move(control), nullptr);
  }

  int rank() const override { return rank_; }
  int size() const override { return board_->size(); }
  int rank_in_node() const override { return rank_; }
  std::string name() const override { return "threads"; }
  Communicator& control() override { return control_ ? *control_ : *this; }

  std::unique_ptr<Work> all_reduce(Buffer values, ReduceOperation operation, std::string_view tag) override {
    return begin({ThreadBoard::Kind::all_reduce, values, {}, 0, operation, std::string(tag)});
  }
  std::unique_ptr<Work> broadcast(Buffer values, int root, std::string_view tag) override {
    return begin({ThreadBoard::Kind::broadcast, values, {}, root, {}, std::string(tag)});
  }
  std::unique_ptr<Work> all_gather(Buffer mine, Buffer all, std::string_view tag) override {
    if (all.count != size() * mine.count) throw Error(ExitCode::internal, "{}: wrong count", tag);
    return begin({ThreadBoard::Kind::all_gather, mine, all, 0, {}, std::string(tag)});
  }
  std::unique_ptr<Work> barrier(std::string_view tag) override {
    return begin({ThreadBoard::Kind::barrier, {}, {}, 0, {}, std::string(tag)});
  }
  std::unique_ptr<Counter> counter(std::string_view tag) override {
    return std::make_unique<ThreadCounter>(*this,
                                           of_rank_0(std::make_shared<std::atomic<std::int64_t>>(0), tag));
  }
  std::shared_ptr<void> shared_memory(std::int64_t bytes, std::string_view tag) override {
    return of_rank_0(std::shared_ptr<void>(zeroed_pages(static_cast<std::size_t>(bytes))), tag);
  }
  void close() override {}
  [[noreturn]] void abort(ExitCode code) noexcept override { std::_Exit(static_cast<int>(code)); }

 private:
  class ThreadCounter final : public Counter {
   public:
    ThreadCounter(Thread& thread, std::shared_ptr<std::atomic<std::int64_t>> value)
        : thread_(thread), value_(std::move(value)) {}
    std::int64_t add(std::int64_t amount) override { return value_->fetch_add(amount); }
    void close() override { thread_.barrier("a counter's end")->wait(); }

   private:
    Thread& thread_;
    std::shared_ptr<std::atomic<std::int64_t>> value_;
  };

  class ThreadWork final : public Work {
   public:
    ThreadWork(std::shared_ptr<ThreadBoard> board, std::shared_ptr<ThreadBoard::Slot> slot, std::string tag)
        : board_(std::move(board)), slot_(std::move(slot)), tag_(std::move(tag)) {}
    bool test() override { return board_->is_done(*slot_); }
    void wait() override { board_->wait(*slot_, tag_); }

   private:
    std::shared_ptr<ThreadBoard> board_;
    std::shared_ptr<ThreadBoard::Slot> slot_;
    std::string tag_;
  };

  template <typename Owned>
  std::shared_ptr<Owned> of_rank_0(std::shared_ptr<Owned> mine, std::string_view tag) {
    auto address = reinterpret_cast<std::uint64_t>(&mine);
    broadcast(buffer_of(std::span(&address, 1)), 0, tag)->wait();
    const auto shared = *reinterpret_cast<std::shared_ptr<Owned>*>(address);
    barrier(tag)->wait();  // all have rank 0's before it goes on
    return shared;
  }

  std::unique_ptr<Work> begin(ThreadBoard::Entry entry) {
    std::string tag = entry.tag;
    return std::make_unique<ThreadWork>(board_, board_->join(rank_, std::move(entry)), std::move(tag));
  }

  int rank_;
  std::shared_ptr<ThreadBoard> board_;
  std::unique_ptr<Thread> control_;
};

/// Runs `body` on each of `ranks` ranks. When some throw, the first to do so wakes all who wait for it, and
/// its exception is thrown here.
inline void run_on_threads(int ranks, const std::function<void(Communicator&)>& body,
                           std::chrono::duration<double> timeout = std::chrono::seconds(60)) {
  const auto data = std::make_shared<ThreadBoard>(ranks, timeout);
  const auto control = std::make_shared<ThreadBoard>(ranks, timeout);
  std::mutex mutex;
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      Thread communicator(rank, data, control);
      try {
        body(communicator);
      } catch (...) {
        const std::scoped_lock lock(mutex);
        if (!first) first = std::current_exception();
        data->fail();
        control->fail();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace svi::comm
