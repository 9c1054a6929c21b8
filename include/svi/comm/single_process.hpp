#pragma once

#include "svi/comm/communicator.hpp"

namespace svi::comm {

/// The group of one: every operation is the identity and complete when it returns.
class SingleProcess final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int rank_in_node() const override { return 0; }
  std::string name() const override { return "single process"; }

  std::unique_ptr<Work> all_reduce(Buffer values, ReduceOperation operation, std::string_view tag) override;
  std::unique_ptr<Work> broadcast(Buffer values, int root, std::string_view tag) override;
  std::unique_ptr<Work> all_gather(Buffer mine, Buffer all, std::string_view tag) override;
  std::unique_ptr<Work> barrier(std::string_view tag) override;
  std::unique_ptr<Counter> counter(std::string_view tag) override;
  std::shared_ptr<void> shared_memory(std::int64_t bytes, std::string_view tag) override;

  void close() override {}
  [[noreturn]] void abort(ExitCode code) noexcept override;
};

}  // namespace svi::comm
