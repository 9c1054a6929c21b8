#pragma once

#include <barrier>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "svi/core/shared_work.hpp"

namespace svi::test {

/// Threads that share work as the processes of a machine do.
class SharingThread final : public SharedWork {
 public:
  struct Board {
    explicit Board(int threads) : barrier(threads) {}
    std::barrier<> barrier;
    std::shared_ptr<void> newest;  // memory
  };

  SharingThread(int rank, int size, Board& board) : rank_(rank), size_(size), board_(board) {}
  int size() const override { return size_; }
  int rank() const override { return rank_; }
  void meet() override { board_.barrier.arrive_and_wait(); }

 private:
  std::shared_ptr<void> allocate(std::int64_t bytes) override {
    meet();
    if (rank_ == 0) board_.newest = SharedWork::allocate(bytes);
    meet();
    return board_.newest;
  }

  int rank_;
  int size_;
  Board& board_;
};

/// Runs `body` on so many threads at once. It must not throw: the others would wait for ever.
inline void run_sharing(int threads, const std::function<void(SharedWork& work)>& body) {
  SharingThread::Board board(threads);
  std::vector<std::thread> running;
  for (int rank = 0; rank < threads; ++rank) {
    running.emplace_back([&, rank] {
      SharingThread work(rank, threads, board);
      body(work);
    });
  }
  for (std::thread& thread : running) thread.join();
}

}  // namespace svi::test
